/** ONNX Runtime compiled to WebAssembly: one thread, on the page's own, since an answer takes less than a frame. */

/** @typedef {import("../recommender.js").Engine} Engine */
/** @typedef {import("../recommender.js").Graph} Graph */

const FOLDER = new URL("../node_modules/onnxruntime-web/dist/", import.meta.url);

/** @returns {Promise<Engine>} */
export async function start() {
  const ort = await import(new URL("ort.wasm.min.mjs", FOLDER).href);
  ort.env.wasm.wasmPaths = FOLDER.href;
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.proxy = false;
  return { open: (graph) => open(ort, graph) };
}

/**
 * @param {any} ort the library
 * @param {Uint8Array} graph
 * @returns {Promise<Graph>}
 */
async function open(ort, graph) {
  const session = await ort.InferenceSession.create(graph, { executionProviders: ["wasm"], logSeverityLevel: 3 });
  return {
    length: undefined, // any number of events
    async run(inputs) {
      const fed = Object.entries(inputs).map(([name, { type, data, dims }]) => [name, new ort.Tensor(type, data, dims)]);
      const found = await session.run(Object.fromEntries(fed));
      return { items: found.items.data, scores: found.scores.data };
    },
    close: () => session.release(),
  };
}
