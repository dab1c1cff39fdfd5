/** Ids as an app gives them: a list of texts, or one sentence says what it is. */

import { RequestError, show } from "./errors.js";

/**
 * @param {Iterable<string>} ids read once; a single text is refused, whose letters would be ids
 * @returns {string[]}
 */
export function textsOf(ids) {
  const single = typeof ids === "string" || ids == null || typeof ids[Symbol.iterator] !== "function";
  const found = single ? [ids] : [...ids];
  const odd = found.findIndex((id) => typeof id !== "string");
  if (single || odd >= 0) {
    const value = show(single ? ids : found[odd]);
    throw new RequestError(`the ids hold ${value}; expected a list of item ids as text, like ['50', '172']`);
  }
  return /** @type {string[]} */ (found);
}
