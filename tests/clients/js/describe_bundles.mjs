// Opens bundles, damaged or not, and says of each what was read: a line of JSON in, a line out.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { BundleError, openBundle, RequestError } from "edgerec";

const files = new Map();
const sha256 = (data) => createHash("sha256").update(data).digest("hex");
const lines = (texts) => texts && sha256(texts.join("\n"));

function damaged({ path, cut, flip, write }) {
  if (!files.has(path)) files.set(path, readFileSync(path));
  const bytes = new Uint8Array(files.get(path)).slice(0, cut ?? files.get(path).length);
  if (flip) bytes[flip.at] ^= flip.mask;
  if (write) bytes.set(Buffer.from(write.hex, "hex").subarray(0, Math.max(0, bytes.length - write.at)), write.at);
  return bytes;
}

async function graphs(bundle) {
  const found = {};
  for (const target of ["onnx", "tflite"]) {
    try {
      found[target] = sha256(await bundle.graph(target));
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
    }
  }
  return found;
}

async function describe(request) {
  const bytes = request.url ?? damaged(request);
  const bundle = await openBundle(request.blob ? new Blob([bytes]) : bytes, { verify: request.verify ?? "structure" });
  return {
    kind: bundle.kind,
    max_length: bundle.maxLength,
    k: bundle.k,
    ids: lines(bundle.ids),
    titles: lines(bundle.titles),
    attributes: bundle.attributes,
    popularity: bundle.popularity && [...bundle.popularity],
    features: bundle.features.map((one) => [one.name, one.kind, one.of, one.longest, lines(one.vocabulary)]),
    graphs: await graphs(bundle),
  };
}

for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    answer = await describe(JSON.parse(line));
  } catch (error) {
    const crash = error instanceof BundleError ? undefined : String(error.stack);
    answer = { refused: error.message, crash };
  }
  console.log(JSON.stringify(answer));
}
