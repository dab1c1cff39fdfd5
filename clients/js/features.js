/** Features: what a graph takes besides a history, and how raw values become the numbers that it takes. */

import { BundleError, RequestError, show } from "./errors.js";

/**
 * What an engine's tensor is made of; with ONNX Runtime `new ort.Tensor(one.type, one.data, one.dims)`.
 * @typedef {{ type: "int32", data: Int32Array, dims: number[] } | { type: "float32", data: Float32Array, dims: number[] }} Input
 */

/** @typedef {"category" | "categories" | "number"} FeatureKind */

const NAME = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;
const RESERVED = ["vectors", "mask", "query", "logit"]; // names that graphs use for other things

/** One input of a graph, named as the feature; index 0 stands for unknown, absent and padding. */
export class Feature {
  #places;

  /**
   * @param {{ name: string, kind: string, of: string, longest: number }} described as the manifest says
   * @param {Map<string, number>} places the place of each word of its vocabulary, counted from 0; empty for a number
   */
  constructor(described, places) {
    const { name, kind, of, longest } = described;
    const words = kind === "number" ? places.size === 0 : places.size > 0;
    if (!NAME.test(name) || RESERVED.includes(name) || !words) {
      throw new BundleError(`the manifest's feature ${show(name)} has a name or words that no graph takes; the file is damaged`);
    }
    this.name = name;
    this.kind = /** @type {FeatureKind} */ (kind);
    /** Whether it is known of each `item` and kept in the bundle, or of the `context` and given with each request. */
    this.of = /** @type {"item" | "context"} */ (of);
    /** Most words that count; of more, the last. */
    this.longest = longest;
    this.#places = places;
  }

  /** @returns {string[]} the words; the i-th has the index i + 1 */
  get vocabulary() {
    return [...this.#places.keys()];
  }

  /** @returns {number} how many words there are, and so the largest index */
  get words() {
    return this.#places.size;
  }

  /**
   * Encode the value of one request for a number of rows, which all have it.
   * @param {unknown} value a word, a list of words for `categories`, a finite number for `number`; null where a word is not known
   * @param {number} rows
   * @returns {Input}
   */
  encode(value, rows = 1) {
    if (this.kind === "number") return { type: "float32", data: new Float32Array(rows).fill(this.#number(value)), dims: [rows] };
    if (this.kind === "category") {
      return { type: "int32", data: new Int32Array(rows).fill(this.#index(value)), dims: [rows] };
    }
    if (value != null && !Array.isArray(value)) this.#refuse(value, "a list of words");
    const found = (value ?? []).map((word) => this.#index(word)).filter((index) => index > 0).slice(-this.longest);
    const row = found.length ? found : [0];
    const data = new Int32Array(rows * row.length);
    for (let start = 0; start < data.length; start += row.length) data.set(row, start);
    return { type: "int32", data, dims: [rows, row.length] };
  }

  /**
   * @param {unknown} word
   * @returns {number}
   */
  #index(word) {
    if (word == null) return 0;
    if (typeof word !== "string" && !Number.isSafeInteger(word)) this.#refuse(word, "a word as text");
    return (this.#places.get(String(word)) ?? -1) + 1;
  }

  /**
   * @param {unknown} value
   * @returns {number}
   */
  #number(value) {
    if (typeof value !== "number" || !Number.isFinite(Math.fround(value))) this.#refuse(value, "a finite number");
    return value;
  }

  /**
   * @param {unknown} value
   * @param {string} expected
   * @returns {never}
   */
  #refuse(value, expected) {
    throw new RequestError(`feature '${this.name}' (${this.kind}) got ${show(value)}; expected ${expected}`);
  }
}

/**
 * Encode what comes with a request: a value for each feature of the context.
 * @param {readonly Feature[]} features
 * @param {Record<string, unknown>} context
 * @param {number} rows
 * @returns {Record<string, Input>}
 */
export function encodeContext(features, context, rows = 1) {
  const wanted = features.filter((feature) => feature.of === "context");
  const needs = wanted.map((feature) => `${feature.name} (${feature.kind})`).join(", ") || "none";
  for (const name of Object.keys(context)) {
    if (!wanted.some((feature) => feature.name === name)) {
      throw new RequestError(`the context holds '${name}', which this model does not take; it needs ${needs}`);
    }
  }
  return Object.fromEntries(
    wanted.map((feature) => {
      if (!Object.hasOwn(context, feature.name)) {
        throw new RequestError(`the context lacks '${feature.name}'; this model needs ${needs}, null where a word is not known`);
      }
      return [feature.name, feature.encode(context[feature.name], rows)];
    }),
  );
}
