/** LiteRT.js: TensorFlow Lite compiled to WebAssembly, one thread. It runs a graph in the shape that is stored in its file. */

/** @typedef {import("../recommender.js").Engine} Engine */
/** @typedef {import("../recommender.js").Graph} Graph */

const WASM = new URL("../node_modules/@litertjs/core/wasm/", import.meta.url);

/** @type {Promise<any> | undefined} a page can load its module once */
let loaded;

/** @returns {Promise<Engine>} */
export async function start() {
  loaded ??= load();
  const litert = await loaded.catch((error) => {
    loaded = undefined;
    throw error;
  });
  return { open: (graph) => open(litert, graph) };
}

async function load() {
  // @ts-ignore: the page's import map knows where it is
  const litert = await import("@litertjs/core");
  const page = /** @type {any} */ (globalThis);
  page.Module = { print: console.debug, printErr: console.debug }; // it reports every step as an error of the console
  await litert.loadLiteRt(WASM.href);
  return litert;
}

/**
 * @param {any} litert the library
 * @param {Uint8Array} graph
 * @returns {Promise<Graph>}
 */
async function open(litert, graph) {
  const model = await litert.loadAndCompile(graph, { accelerator: "wasm" });
  const history = model.getInputDetails().find((/** @type {any} */ input) => input.name === "history");
  return {
    length: history.shape.at(-1),
    async run(inputs) {
      const fed = Object.entries(inputs).map(([name, { data, dims }]) => [name, new litert.Tensor(data, dims)]);
      const found = await model.run(Object.fromEntries(fed));
      try {
        return { items: found.items.toTypedArray().slice(), scores: found.scores.toTypedArray().slice() };
      } finally {
        // nothing else frees what lies in the engine's memory
        for (const tensor of [...fed.map((one) => one[1]), ...Object.values(found)]) tensor.delete();
      }
    },
    close: () => model.delete(),
  };
}
