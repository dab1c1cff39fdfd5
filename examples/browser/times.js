/** How long the newest requests took. */

const KEPT = 50;

export class Times {
  /** @type {number[]} */
  #newest = [];

  /** @param {number} milliseconds */
  add(milliseconds) {
    this.#newest = [...this.#newest, milliseconds].slice(-KEPT);
  }

  get count() {
    return this.#newest.length;
  }

  /** The median in milliseconds, or null before the first request. */
  get median() {
    const sorted = [...this.#newest].sort((a, b) => a - b);
    if (!sorted.length) return null;
    const middle = sorted.length >> 1;
    return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }
}

/**
 * Say milliseconds in three digits, as "0.42 ms", "38.1 ms", "1.20 s".
 * @param {number} milliseconds
 */
export function duration(milliseconds) {
  if (milliseconds >= 999.5) return `${(milliseconds / 1000).toPrecision(3)} s`;
  if (milliseconds >= 99.95) return `${Math.round(milliseconds)} ms`;
  return `${milliseconds >= 9.995 ? milliseconds.toFixed(1) : milliseconds.toFixed(2)} ms`;
}
