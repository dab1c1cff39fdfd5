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

const LEAST_ROUNDS = 9;
const TURN_MS = 2;
const TURN = { least: 3, most: 16 };

const [engine, what, ...paths] = process.argv.slice(2);
const ort = await imported(engine);
ort.env.logLevel = "error";
if (engine === "onnxruntime-web") ort.env.wasm.numThreads = 1;
console.log(JSON.stringify(what === "time" ? await timed(...paths) : await cold(...paths)));
process.exit(0);

/** @param {string} name */
async function imported(name) {
  const require = createRequire(join(process.env.EDGE_REC_NODE_MODULES ?? ".", "x.js"));
  const found = await import(pathToFileURL(require.resolve(name)).href);
  return found.default ?? found;
}

/** Lets a graph and ONNX Runtime's fp32 graph take turns. */
async function timed(graph, reference, asked, seconds) {
  const { histories } = JSON.parse(readFileSync(asked, "utf8"));
  const names = [...new Set([graph, reference])];
  const answers = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await opened(name)])));
  const items = [];
  for (const history of histories) items.push(await answers[graph](history));
  const times = Object.fromEntries(names.map((name) => [name, []]));
  const lengths = {};
  for (const name of names) {
    const pilot = await turn(answers[name], histories, 0, TURN.least);
    lengths[name] = Math.min(Math.max(Math.floor(TURN_MS / pilot), TURN.least), TURN.most);
  }
  const end = performance.now() + 1000 * Number(seconds);
  for (let round = 0; performance.now() < end || round < LEAST_ROUNDS; round++) {
    for (const name of round % 2 ? names : [...names].reverse()) {
      times[name].push(await turn(answers[name], histories, round * lengths[name], lengths[name]));
    }
  }
  return {
    ms: median(times[graph]),
    reference_ms: median(times[reference]),
    latency_ratio: median(times[graph].map((taken, round) => taken / times[reference][round])),
    rounds: times[graph].length,
    items,
  };
}

/** The median milliseconds of `count` answers; one before them warms the caches. */
async function turn(answer, histories, first, count) {
  const taken = [];
  for (let number = first; number <= first + count; number++) {
    const started = performance.now();
    await answer(histories[number % histories.length]);
    taken.push(performance.now() - started);
  }
  return median(taken.slice(1));
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

function median(values) {
  const sorted = [...values].sort((one, other) => one - other);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}
