/** Texts of a bundle: lines, and values of each item; what does not parse is one sentence. */

import { BundleError } from "../errors.js";
import { isMapping } from "./fields.js";

/**
 * @param {number} items
 * @returns {number} how many bytes of ids, of titles or of attributes a catalogue of so many items may have
 */
export function textLimit(items) {
  return 2 ** 16 + 2 ** 12 * items;
}

/**
 * @param {string} member its name
 * @param {Uint8Array} bytes
 * @param {number | null} count how many lines there must be
 * @returns {string[]} the lines
 */
export function parseLines(member, bytes, count) {
  const lines = decode(member, bytes).split("\n");
  const ends = lines.pop() === "";
  if (!ends || (count !== null && lines.length !== count)) {
    throw new BundleError(
      `member '${member}' has ${lines.length} lines or no end; expected ${count ?? "some"}, and a line break after the last`,
    );
  }
  const odd = lines.findIndex((line) => line.includes("\r") || line.includes("\0"));
  if (odd >= 0) throw new BundleError(`member '${member}' holds a line break in line ${odd}; the file is damaged`);
  return lines;
}

/**
 * Refuse lines of which one is empty or stands twice.
 * @param {string} member its name
 * @param {readonly string[]} lines
 * @returns {Map<string, number>} the place of each
 */
export function placesOf(member, lines) {
  const places = new Map(lines.map((line, place) => [line, place]));
  if (!lines.length || places.has("") || places.size !== lines.length) {
    throw new BundleError(`member '${member}' is empty, has an empty line or one that stands twice; the file is damaged`);
  }
  return places;
}

/**
 * @param {string} member its name
 * @param {Uint8Array} bytes
 * @param {number} items
 * @returns {Record<string, string[][]>} for each attribute the values of every item
 */
export function parseAttributes(member, bytes, items) {
  let found;
  try {
    found = JSON.parse(decode(member, bytes));
  } catch {
    found = null; // what decodes and does not parse, or nests too deep
  }
  const fits = isMapping(found) && Object.values(found).every((values) => isListOfTexts(values, items));
  if (!fits) throw new BundleError(`member '${member}' is no object of lists of values, one an item; the file is damaged`);
  return /** @type {Record<string, string[][]>} */ (found);
}

/**
 * @param {unknown} values
 * @param {number} items
 */
function isListOfTexts(values, items) {
  const isTexts = (/** @type {unknown} */ one) => Array.isArray(one) && one.every((word) => typeof word === "string");
  return Array.isArray(values) && values.length === items && values.every(isTexts);
}

/**
 * @param {string} member
 * @param {Uint8Array} bytes
 * @returns {string}
 */
function decode(member, bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new BundleError(`member '${member}' is not UTF-8 text; the file is damaged`);
  }
}
