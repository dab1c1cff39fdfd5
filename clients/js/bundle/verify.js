/** The full check of a bundle: every byte between the members, and the SHA-256 of each. */

import { BundleError, RequestError } from "../errors.js";
import { locate, take } from "./zip.js";

/** @typedef {import("./source.js").Source} Source */
/** @typedef {import("./zip.js").Entry} Entry */

const [VERSION, DATE, MADE_BY, ATTRIBUTES] = [20, (1 << 5) | 1, (3 << 8) | 20, (0o100644 << 16) >>> 0];
const PADDING_ID = 0xd935; // the extra field that Android's zipalign pads with
const ALIGNMENT = 64;

/**
 * Check that every byte outside the members' data is the one that the writer of bundles puts there.
 * @param {Source} source
 * @param {Iterable<Entry>} entries in the order of the file
 */
export async function checkCanonical(source, entries) {
  let offset = 0;
  /** @type {number[][]} */
  const records = [];
  for (const entry of entries) {
    const start = await locate(source, entry);
    const header = localHeader(entry, start);
    if (entry.header !== offset || !same(await take(source, offset, start), header)) {
      throw new BundleError(`the header of member '${entry.name}' is not as it was written; the file was damaged or repacked`);
    }
    records.push(centralRecord(entry));
    offset = start + entry.size;
  }
  const directory = records.flat();
  const count = records.length;
  const end = bytes([4, 0x06054b50], [4, 0], [2, count], [2, count], [4, directory.length], [4, offset], [2, 0]);
  if (!same(await take(source, offset, source.size), [...directory, ...end])) {
    throw new BundleError("the directory at the end of the file is not as it was written; the file was damaged or repacked");
  }
}

/**
 * @param {string} member its name
 * @param {Uint8Array} content
 * @param {string} want hex
 */
export async function checkDigest(member, content, want) {
  const digest = await (await subtle()).digest("SHA-256", /** @type {BufferSource} */ (content));
  const found = Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (found !== want) {
    throw new BundleError(
      `member '${member}' has SHA-256 ${found.slice(0, 12)}..., the manifest says ${want.slice(0, 12)}...; ` +
        "the file is damaged or was changed, copy it again",
    );
  }
}

/** @returns {Promise<SubtleCrypto>} */
async function subtle() {
  if (globalThis.crypto?.subtle) return globalThis.crypto.subtle;
  try {
    const node = "node:crypto"; // node 18 has it there only; the name is kept from bundlers
    return (await import(/* @vite-ignore */ /* webpackIgnore: true */ node)).webcrypto.subtle;
  } catch {
    throw new RequestError("this page may not hash: verify: 'full' needs https or localhost; leave it out or serve the page so");
  }
}

/**
 * @param {Entry} entry
 * @param {number} start of its data
 * @returns {number[]}
 */
function localHeader(entry, start) {
  const gap = start - entry.header - 30 - entry.name.length;
  const padded = gap >= 6;
  const padding = padded ? [...bytes([2, PADDING_ID], [2, gap - 4], [2, ALIGNMENT]), ...new Uint8Array(gap - 6)] : [];
  return [
    ...bytes([4, 0x04034b50], [2, VERSION], [2, 0], [2, entry.method], [2, 0], [2, DATE]),
    ...bytes([4, entry.crc], [4, entry.size], [4, entry.fullSize], [2, entry.name.length], [2, padding.length]),
    ...ascii(entry.name),
    ...padding,
  ];
}

/**
 * @param {Entry} entry
 * @returns {number[]}
 */
function centralRecord(entry) {
  return [
    ...bytes([4, 0x02014b50], [2, MADE_BY], [2, VERSION], [2, 0], [2, entry.method], [2, 0], [2, DATE]),
    ...bytes([4, entry.crc], [4, entry.size], [4, entry.fullSize], [2, entry.name.length], [2, 0], [2, 0]),
    ...bytes([2, 0], [2, 0], [4, ATTRIBUTES], [4, entry.header]),
    ...ascii(entry.name),
  ];
}

/**
 * @param {...[number, number]} numbers each as bytes and value, little endian
 * @returns {number[]}
 */
function bytes(...numbers) {
  return numbers.flatMap(([width, value]) => Array.from({ length: width }, (_, byte) => (value >>> (8 * byte)) & 255));
}

/**
 * @param {string} text
 * @returns {number[]}
 */
function ascii(text) {
  return Array.from(text, (character) => character.charCodeAt(0));
}

/**
 * @param {Uint8Array} found
 * @param {number[]} expected
 */
function same(found, expected) {
  return found.length === expected.length && expected.every((byte, place) => found[place] === byte);
}
