/** Values of items that a bundle keeps for a ranker, one array a feature. */

import { BundleError } from "./errors.js";

/** @typedef {import("./bundle/npy.js").NumberArray} NumberArray */
/** @typedef {import("./features.js").Feature} Feature */
/** @typedef {import("./features.js").Input} Input */

/** The values [items] or [items, length] of one feature. */
export class ItemValues {
  #feature;
  #values;
  #width;

  /**
   * @param {Feature} feature
   * @param {NumberArray} values
   * @param {number} items
   */
  constructor(feature, values, items) {
    this.#feature = feature;
    this.#values = values;
    this.#width = values.length / items;
  }

  /**
   * Gather rows; they come from the file, so they are checked.
   * @param {ArrayLike<number>} rows
   * @returns {Input}
   */
  take(rows) {
    const [feature, width] = [this.#feature, this.#width];
    const dims = feature.kind === "categories" ? [rows.length, width] : [rows.length];
    const found = feature.kind === "number" ? new Float32Array(rows.length) : new Int32Array(rows.length * width);
    for (let row = 0; row < rows.length; row++) {
      const start = rows[row] * width;
      found.set(this.#values.subarray(start, start + width), row * width);
    }
    if (!this.#fit(found)) {
      throw new BundleError(`the values of '${feature.name}' are not what its kind '${feature.kind}' has; the file is damaged`);
    }
    return found instanceof Float32Array ? { type: "float32", data: found, dims } : { type: "int32", data: found, dims };
  }

  /**
   * @param {Float32Array | Int32Array} found
   * @returns {boolean} whether numbers are finite, indexes inside the vocabulary, and lists without a word after their end
   */
  #fit(found) {
    if (found instanceof Float32Array) return found.every(Number.isFinite);
    return found.every(
      (index, place) =>
        index >= 0 && index <= this.#feature.words && !(index > 0 && place % this.#width > 0 && found[place - 1] === 0),
    );
  }
}
