/**
 * The ZIP container of a bundle: the few records that the format uses, read strictly. Every offset is checked before anything is
 * touched; comments, encryption, data descriptors and ZIP64 are refused.
 */

import { BundleError } from "../errors.js";
import { crc32 } from "./crc32.js";
import { join } from "./source.js";

/** @typedef {import("./source.js").Source} Source */

/**
 * @typedef {object} Entry
 * @property {string} name
 * @property {number} method 0 stored, 8 deflated
 * @property {number} crc of the bytes before deflating
 * @property {number} size bytes in the file
 * @property {number} fullSize bytes before deflating
 * @property {number} header offset of the local header
 * @property {number} limit offset of what follows the member
 */

export const ALIGNMENT = 64; // bytes; stored members start on such boundaries of the file
const MOST_BYTES = 2 ** 31 - 1;
const MOST_MEMBERS = 256;
const [LOCAL, CENTRAL, END] = [30, 46, 22]; // bytes of the records, without names
const LOCAL_MARK = 0x04034b50;
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]*(\/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$/;
const ALLOWED_FLAGS = 0x0806; // levels of deflating, and UTF-8 names
const COPY = "copy the file again";

/**
 * Read the directory: the members, in the order of the file, each inside it.
 * @param {Source} source
 * @returns {Promise<Map<string, Entry>>}
 */
export async function readDirectory(source) {
  const total = source.size;
  if (total < END || total > MOST_BYTES) throw new BundleError(`${total} bytes are no bundle; expected a ZIP file below 2 GiB`);
  const end = view(await take(source, total - END, total));
  const [count, length, offset] = [end.getUint16(10, true), end.getUint32(12, true), end.getUint32(16, true)];
  const odd = end.getUint16(20, true) || end.getUint16(4, true) || end.getUint16(6, true) || end.getUint16(8, true) !== count;
  if (end.getUint32(0, true) !== 0x06054b50 || odd) {
    throw new BundleError("the file does not end as a bundle does; it is truncated or no bundle, copy it again");
  }
  if (offset + length !== total - END || count > MOST_MEMBERS) {
    throw new BundleError(`the directory at the end of the file does not fit it; the file is damaged, ${COPY}`);
  }
  const bytes = await take(source, offset, offset + length);
  /** @type {Map<string, Entry>} */
  const entries = new Map();
  let place = 0;
  for (let number = 0; number < count; number++) {
    const [entry, after] = readEntry(bytes, place, total);
    if (entries.has(entry.name)) {
      throw new BundleError(`member '${entry.name}' stands twice in the file; the file is damaged or hostile`);
    }
    entries.set(entry.name, entry);
    place = after;
  }
  if (place !== length) {
    throw new BundleError(`the directory at the end of the file holds more than its members; the file is damaged, ${COPY}`);
  }
  return inOrder(entries, offset);
}

/**
 * Read a member's local header, which must say what the directory says.
 * @param {Source} source
 * @param {Entry} entry
 * @returns {Promise<number>} the offset of its data
 */
export async function locate(source, entry) {
  const bytes = await take(source, entry.header, entry.header + LOCAL + entry.name.length);
  return dataStart(entry, bytes);
}

/**
 * Return the bytes of a member, CRC checked.
 * @param {Source} source
 * @param {Entry} entry
 * @param {number} most bytes that it may have; nothing beyond is ever inflated
 * @returns {Promise<Uint8Array>}
 */
export async function readMember(source, entry, most) {
  if (entry.fullSize > most) {
    const says = `member '${entry.name}' says it has ${entry.fullSize} bytes`;
    throw new BundleError(`${says}; at most ${most} are read, the file is hostile`);
  }
  const bytes = await take(source, entry.header, entry.limit);
  const start = dataStart(entry, bytes) - entry.header;
  const raw = bytes.subarray(start, start + entry.size);
  if (entry.method) return inflate(raw, entry);
  if (crc32(raw) !== entry.crc) throw new BundleError(`member '${entry.name}' fails its checksum; the file is damaged, ${COPY}`);
  return raw;
}

/**
 * Return bytes, or say that the file is shorter than it was.
 * @param {Source} source
 * @param {number} start
 * @param {number} end
 * @returns {Promise<Uint8Array>}
 */
export async function take(source, start, end) {
  const bytes = end <= source.size ? await source.read(start, end) : new Uint8Array();
  if (bytes.length !== end - start) throw new BundleError(`the file ends before byte ${end}; it is truncated, ${COPY}`);
  return bytes;
}

/**
 * @param {Uint8Array} bytes the directory
 * @param {number} place where the record begins
 * @param {number} total bytes of the file
 * @returns {[Entry, number]} the member, and where the next record begins
 */
function readEntry(bytes, place, total) {
  if (place + CENTRAL > bytes.length) {
    throw new BundleError(`the directory at the end of the file breaks off; the file is damaged, ${COPY}`);
  }
  const record = view(bytes.subarray(place));
  const [length, extra, comment] = [28, 30, 32].map((at) => record.getUint16(at, true));
  const after = place + CENTRAL + length + extra + comment;
  if (record.getUint32(0, true) !== 0x02014b50 || record.getUint16(34, true) || comment || after > bytes.length) {
    throw new BundleError(`the directory at the end of the file is damaged; ${COPY}`);
  }
  const name = latin(bytes.subarray(place + CENTRAL, place + CENTRAL + length));
  const label = name.slice(0, 80).replace(/[^ -~]/g, "?");
  if (name.length > 200 || !NAME.test(name)) {
    throw new BundleError(`member '${label}' has a name that points outside or is not plain; the file is hostile`);
  }
  const [flags, method] = [record.getUint16(8, true), record.getUint16(10, true)];
  const [crc, size, fullSize, header] = [16, 20, 24, 42].map((at) => record.getUint32(at, true));
  if ((method !== 0 && method !== 8) || flags & ~ALLOWED_FLAGS || (method === 0 && size !== fullSize)) {
    throw new BundleError(`member '${label}' is packed in a way that bundles are not; the file was damaged or repacked`);
  }
  if (header + LOCAL + length + size > total) {
    throw new BundleError(`member '${label}' lies outside the file; the file is truncated, ${COPY}`);
  }
  return [{ name, method, crc, size, fullSize, header, limit: 0 }, after];
}

/**
 * Put members in the order of the file; each ends before what follows it.
 * @param {Map<string, Entry>} entries
 * @param {number} directory its offset
 * @returns {Map<string, Entry>}
 */
function inOrder(entries, directory) {
  const ordered = [...entries.values()].sort((one, other) => one.header - other.header);
  ordered.forEach((entry, place) => {
    entry.limit = place + 1 < ordered.length ? ordered[place + 1].header : directory;
    if (entry.header + LOCAL + entry.name.length + entry.size > entry.limit) refuseReach(entry);
  });
  return new Map(ordered.map((entry) => [entry.name, entry]));
}

/**
 * @param {Entry} entry
 * @param {Uint8Array} bytes of the file, from the member's header on
 * @returns {number} the offset of its data in the file
 */
function dataStart(entry, bytes) {
  const record = view(bytes);
  const same =
    record.getUint32(0, true) === LOCAL_MARK &&
    !(record.getUint16(6, true) & ~ALLOWED_FLAGS) &&
    record.getUint16(8, true) === entry.method &&
    record.getUint32(14, true) === entry.crc &&
    record.getUint32(18, true) === entry.size &&
    record.getUint32(22, true) === entry.fullSize &&
    record.getUint16(26, true) === entry.name.length &&
    latin(bytes.subarray(LOCAL, LOCAL + entry.name.length)) === entry.name;
  if (!same) throw new BundleError(`member '${entry.name}' has two headers that differ; the file is damaged or hostile`);
  const start = entry.header + LOCAL + entry.name.length + record.getUint16(28, true);
  if (start + entry.size > entry.limit) refuseReach(entry);
  return start;
}

/**
 * @param {Entry} entry
 * @returns {never}
 */
function refuseReach(entry) {
  throw new BundleError(`member '${entry.name}' reaches into what follows it; the file is damaged or hostile`);
}

/**
 * Inflate a member as a gzip file, whose end is made of what the directory says: so its CRC and its length are compared natively,
 * and every platform with DecompressionStream will do.
 * @param {Uint8Array} raw
 * @param {Entry} entry
 * @returns {Promise<Uint8Array>}
 */
async function inflate(raw, entry) {
  const end = new Uint8Array(8);
  view(end).setUint32(0, entry.crc, true);
  view(end).setUint32(4, entry.fullSize, true);
  const head = new Uint8Array([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
  const gzip = new Blob([/** @type {BlobPart} */ (head), /** @type {BlobPart} */ (raw), end]);
  const reader = gzip.stream().pipeThrough(new DecompressionStream("gzip")).getReader();
  /** @type {Uint8Array[]} */
  const pieces = [];
  let length = 0;
  try {
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      length += piece.value.length;
      if (length > entry.fullSize) break;
      pieces.push(piece.value);
    }
  } catch {
    length = -1;
  }
  if (length !== entry.fullSize) {
    await reader.cancel().catch(() => {});
    throw new BundleError(`member '${entry.name}' cannot be inflated, or fails its checksum; the file is damaged, ${COPY}`);
  }
  return join(pieces, length);
}

/**
 * @param {Uint8Array} bytes
 * @returns {DataView}
 */
function view(bytes) {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * @param {Uint8Array} bytes
 * @returns {string} one character a byte
 */
function latin(bytes) {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}
