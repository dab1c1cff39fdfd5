/** A bundle in an engine: it is given a history and gives recommendations, and it knows how long that takes. */

import { recommend } from "edgerec";
import { Times } from "./times.js";

/** @typedef {import("edgerec").Bundle} Bundle */

/**
 * @typedef {object} Input of a graph
 * @property {string} type
 * @property {Int32Array | Float32Array} data
 * @property {number[]} dims
 *
 * @typedef {object} Graph
 * @property {number | undefined} length events of an input, where the engine takes no other number
 * @property {(inputs: Record<string, Input>) => Promise<{ items: Int32Array, scores: Float32Array }>} run
 * @property {() => unknown} close
 *
 * @typedef {object} Engine
 * @property {(graph: Uint8Array) => Promise<Graph>} open
 *
 * @typedef {"onnx" | "tflite"} Target
 */

/** The engines by the target that they run; each brings the library that it needs when it is chosen. */
export const ENGINES = {
  onnx: { name: "ONNX Runtime", load: () => import("./engines/onnxruntime.js") },
  tflite: { name: "LiteRT", load: () => import("./engines/litert.js") },
};

export class Recommender {
  #bundle;
  #graph;

  /**
   * @param {Bundle} bundle
   * @param {Graph} graph
   */
  constructor(bundle, graph) {
    this.#bundle = bundle;
    this.#graph = graph;
    /** Milliseconds until the first answer was there. */
    this.loading = 0;
    this.times = new Times();
  }

  /**
   * Start the engine of a target, open the graph that a bundle has for it, and have it answer once, for which engines make plans.
   * @param {Bundle} bundle
   * @param {Target} target
   */
  static async open(bundle, target) {
    const begun = performance.now();
    const engine = await (await ENGINES[target].load()).start();
    const opened = new Recommender(bundle, await engine.open(await bundle.graph(target)));
    await opened.recommend([], 1);
    opened.loading = performance.now() - begun;
    opened.times = new Times();
    return opened;
  }

  /**
   * Recommend items that are not in the history.
   * @param {string[]} history ids, oldest first
   * @param {number} count
   * @returns {Promise<string[]>} ids, best first
   */
  async recommend(history, count) {
    const { items } = await recommend(this.#bundle, history, {
      k: Math.min(count, this.#bundle.k),
      length: this.#graph.length,
      run: (inputs) => this.#timed(inputs),
    });
    return items.map((item) => item.id);
  }

  close() {
    this.#graph.close();
  }

  /** @param {Record<string, Input>} inputs */
  async #timed(inputs) {
    const begun = performance.now();
    const answer = await this.#graph.run(inputs);
    this.times.add(performance.now() - begun);
    return answer;
  }
}
