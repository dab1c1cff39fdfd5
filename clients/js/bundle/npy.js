/**
 * Arrays as version 1.0 `.npy` members, without parsing: dtype and shape stand in the manifest and give the header, which is
 * compared with the one in the file.
 */

import { BundleError } from "../errors.js";

/** @typedef {Float32Array | Int8Array | Uint8Array | Int32Array | Uint16Array | Uint32Array} NumberArray */

/**
 * @typedef {object} Dtype
 * @property {string} descr dtype in the file
 * @property {number} bytes of a value
 * @property {new (buffer: ArrayBuffer) => NumberArray} values float16 as the bits of its values
 */

/** @type {Readonly<Record<string, Dtype>>} */
export const DTYPES = {
  float32: { descr: "<f4", bytes: 4, values: Float32Array },
  float16: { descr: "<f2", bytes: 2, values: Uint16Array },
  int8: { descr: "|i1", bytes: 1, values: Int8Array },
  uint8: { descr: "|u1", bytes: 1, values: Uint8Array },
  int32: { descr: "<i4", bytes: 4, values: Int32Array },
  uint16: { descr: "<u2", bytes: 2, values: Uint16Array },
  uint32: { descr: "<u4", bytes: 4, values: Uint32Array },
};

const BOUNDARY = 64;

/**
 * @param {string} dtype a key of `DTYPES`
 * @param {readonly number[]} shape
 * @returns {Uint8Array} the header of a row-major array, padded so that the data starts on a boundary of 64 bytes
 */
export function npyHeader(dtype, shape) {
  const axes = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const text = `{'descr': '${DTYPES[dtype].descr}', 'fortran_order': False, 'shape': (${axes}), }`;
  const length = Math.ceil((10 + text.length + 1) / BOUNDARY) * BOUNDARY;
  const header = new Uint8Array(length).fill(32);
  header.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, (length - 10) & 255, (length - 10) >> 8]);
  header.set(new TextEncoder().encode(text), 10);
  header[length - 1] = 10;
  return header;
}

/**
 * @param {string} dtype
 * @param {readonly number[]} shape
 * @returns {number} bytes of a whole member with that array
 */
export function npySize(dtype, shape) {
  return npyHeader(dtype, shape).length + shape.reduce((product, axis) => product * axis, DTYPES[dtype].bytes);
}

/**
 * Compare a member's beginning and size with the array that it must be.
 * @param {string} member its name
 * @param {Uint8Array} head its first bytes
 * @param {number} size of all of it
 * @param {string} dtype
 * @param {readonly number[]} shape
 */
export function checkArray(member, head, size, dtype, shape) {
  const header = npyHeader(dtype, shape);
  const expected = npySize(dtype, shape);
  if (size !== expected || header.some((byte, place) => head[place] !== byte)) {
    throw new BundleError(
      `member '${member}' holds no ${dtype} array [${shape.join(", ")}] of ${expected} bytes, as the manifest says; ` +
        "the file is damaged",
    );
  }
}

/**
 * @param {string} member its name
 * @param {Uint8Array} bytes
 * @param {string} dtype
 * @param {readonly number[]} shape
 * @returns {NumberArray} a copy of its values, row-major
 */
export function readArray(member, bytes, dtype, shape) {
  checkArray(member, bytes, bytes.length, dtype, shape);
  const data = bytes.slice(npyHeader(dtype, shape).length); // a copy begins where typed arrays may
  return new DTYPES[dtype].values(/** @type {ArrayBuffer} */ (data.buffer));
}
