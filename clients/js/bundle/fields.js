/** Single values out of a manifest: each is what it must be, or one sentence says what it is. */

import { BundleError, show } from "../errors.js";

/** @typedef {Record<string, unknown>} Fields */

/**
 * @param {Fields} fields
 * @param {string} key
 * @returns {unknown} the value; undefined where the key is not there itself
 */
export function get(fields, key) {
  return Object.hasOwn(fields, key) ? fields[key] : undefined;
}

/**
 * @param {Fields} fields
 * @param {string} key
 * @returns {string} a text of at most 1,000 characters
 */
export function text(fields, key) {
  const value = get(fields, key);
  if (typeof value !== "string" || (value.length > 1000 && [...value].length > 1000)) refuse(key, value, "a text");
  return value;
}

/**
 * @param {Fields} fields
 * @param {string} key
 * @returns {string | null}
 */
export function optionalText(fields, key) {
  return get(fields, key) == null ? null : text(fields, key);
}

/**
 * @param {Fields} fields
 * @param {string} key
 * @param {readonly string[]} known
 * @returns {string} one of the known words
 */
export function choice(fields, key, known) {
  const value = text(fields, key);
  if (!known.includes(value)) refuse(key, value, known.map((word) => `'${word}'`).join(" or "));
  return value;
}

/**
 * @param {Fields} fields
 * @param {string} key
 * @param {number} least
 * @param {number} most
 * @returns {number} a whole number
 */
export function number(fields, key, least = 0, most = Number.MAX_SAFE_INTEGER) {
  const value = get(fields, key);
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < least || value > most) {
    refuse(key, value, `a whole number from ${least} to ${most}`);
  }
  return value;
}

/**
 * @param {Fields} fields
 * @param {string} key
 * @returns {boolean}
 */
export function truth(fields, key) {
  const value = get(fields, key);
  if (typeof value !== "boolean") refuse(key, value, "true or false");
  return value;
}

/**
 * @param {Fields} fields
 * @param {string} key
 * @returns {number[]} the shape of an array of one to three axes, none of them empty
 */
export function shape(fields, key) {
  const value = get(fields, key);
  const axes = Array.isArray(value) ? value : [];
  if (axes.length < 1 || axes.length > 3 || !axes.every((axis) => Number.isSafeInteger(axis) && axis > 0)) {
    refuse(key, value, "one to three axes above 0");
  }
  return axes;
}

/**
 * @param {Fields} fields
 * @param {string} key
 * @returns {Fields}
 */
export function mapping(fields, key) {
  const value = get(fields, key);
  if (!isMapping(value)) refuse(key, value, "an object");
  return value;
}

/**
 * @param {Fields} fields
 * @param {string} key
 * @returns {Fields[]}
 */
export function mappings(fields, key) {
  const value = get(fields, key);
  if (!Array.isArray(value) || !value.every(isMapping)) refuse(key, value, "a list of objects");
  return value;
}

/**
 * @param {unknown} value
 * @returns {value is Fields}
 */
export function isMapping(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * @param {string} key
 * @param {unknown} value
 * @param {string} expected
 * @returns {never}
 */
export function refuse(key, value, expected) {
  throw new BundleError(
    `manifest.json: ${key} is ${show(value)}; expected ${expected}, the file is damaged or of another kind`,
  );
}
