// Runs graphs out of bundles with one engine, named first: a line of JSON in, a line out. Nothing that goes wrong may end the process.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { openBundle, rank, recommend } from "edgerec";

const ort = await import(process.argv[2]);
const options = { executionProviders: [process.argv[2].endsWith("node") ? "cpu" : "wasm"], intraOpNumThreads: 1 };
if (ort.env.wasm) ort.env.wasm.numThreads = 1;
const TYPES = { int32: Int32Array, float32: Float32Array, int64: BigInt64Array };

const opened = new Map();
async function open(path) {
  const bundle = await openBundle(readFileSync(path));
  const session = await ort.InferenceSession.create(await bundle.graph("onnx"), options);
  const run = (inputs) =>
    session.run(Object.fromEntries(Object.entries(inputs).map(([name, one]) => [name, new ort.Tensor(one.type, one.data, one.dims)])));
  return { bundle, run };
}

const ops = {
  async recommend({ bundle, run }, { ids, k, length }) {
    const engine = async (inputs) => {
      const { items, scores } = await run(inputs);
      return { items: items.data, scores: scores.data };
    };
    return recommend(bundle, ids, { run: engine, k, length });
  },
  tensors: ({ bundle, run }, { ids, k }) => recommend(bundle, ids, { run, k }),
  engineless: ({ bundle }, { ids, k }) => recommend(bundle, ids, { k }),
  async rank({ bundle, run }, { ids, context }) {
    return rank(bundle, ids, { run: async (inputs) => (await run(inputs)).logit.data, context });
  },
  async raw({ run }, { type, dims, data }) {
    const values = type === "int64" ? BigInt64Array.from(data, BigInt) : TYPES[type].from(data);
    const { items, scores } = await run({ history: { type, data: values, dims } });
    const texts = [...scores.data].map(String); // JSON has no infinity
    return { items: [...items.data], scores: texts, dims: [items.dims, scores.dims], types: [items.type, scores.type] };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  let answer;
  try {
    if (!opened.has(request.path)) opened.set(request.path, await open(request.path));
    answer = await ops[request.op](opened.get(request.path), request);
  } catch (error) {
    answer = { error: error.name, said: String(error.message) };
  }
  console.log(JSON.stringify(answer));
}
process.exit(0); // the wasm engine keeps a worker
