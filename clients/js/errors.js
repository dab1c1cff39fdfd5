/** The errors: each is one sentence with the value, what was expected, and what to do. */

/** Anything that this package refuses. */
export class EdgeRecError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = new.target.name;
  }
}

/** A bundle that is missing, damaged, hostile, or of a newer version. */
export class BundleError extends EdgeRecError {}

/** A question that a bundle has no answer to. */
export class RequestError extends EdgeRecError {}

/**
 * Show a value from outside in a message.
 * @param {unknown} value
 * @returns {string} at most 60 characters
 */
export function show(value) {
  let text;
  try {
    text = JSON.stringify(value) ?? String(value);
  } catch {
    text = typeof value; // a bigint, or an object that holds itself
  }
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}
