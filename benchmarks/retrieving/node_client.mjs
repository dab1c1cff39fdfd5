// A JavaScript app: an engine and the graph. Prints JSON; see python_client.py, whose arguments these are, behind the engine's name.
//
//   node benchmarks/retrieving/node_client.mjs onnxruntime-node time GRAPH REFERENCE ASKED SECONDS
//   node benchmarks/retrieving/node_client.mjs onnxruntime-web cold GRAPH ASKED
//
// Packages are looked for in the folder that EDGE_REC_NODE_MODULES names.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { timed } from "./rounds.mjs";

const [engine, what, ...paths] = process.argv.slice(2);
const ort = await imported(engine);
ort.env.logLevel = "error";
if (engine === "onnxruntime-web") ort.env.wasm.numThreads = 1;
console.log(JSON.stringify(what === "time" ? await compared(...paths) : await cold(...paths)));
process.exit(0);

/** @param {string} name */
async function imported(name) {
  const require = createRequire(join(process.env.EDGE_REC_NODE_MODULES ?? ".", "x.js"));
  const found = await import(pathToFileURL(require.resolve(name)).href);
  return found.default ?? found;
}

/** Lets a graph and ONNX Runtime's fp32 graph take turns. */
async function compared(graph, reference, asked, seconds) {
  const { histories } = JSON.parse(readFileSync(asked, "utf8"));
  const answers = {};
  for (const name of new Set([graph, reference])) answers[name] = await opened(name);
  return timed(answers, { graph, reference, histories, seconds: Number(seconds) });
}

async function cold(graph, asked) {
  const [history] = JSON.parse(readFileSync(asked, "utf8")).histories;
  const before = peak();
  const started = performance.now();
  await (await opened(graph))(history);
  return { load_ms: performance.now() - started, peak_rss_mb: peak(), engine_rss_mb: before };
}

/** @param {string} path */
async function opened(path) {
  const providers = [engine === "onnxruntime-web" ? "wasm" : "cpu"];
  const options = { executionProviders: providers, intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 };
  const session = await ort.InferenceSession.create(readFileSync(path), options);
  return async (history) => {
    const found = await session.run({ history: new ort.Tensor("int32", Int32Array.from(history), [1, history.length]) });
    return Array.from(found.items.data);
  };
}

/** The most memory of this process so far, in MB. */
function peak() {
  return (Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]) * 1024) / 1e6;
}
