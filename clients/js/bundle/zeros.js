/** Zeros left out: a member that was stored smaller is given back byte for byte. `docs/bundle-format.md` describes the form. */

import { BundleError } from "../errors.js";

const BLOCK = 1024; // bytes
/** Mode of a block: bytes of a word, and of what stands before the first one; a block of mode 0 is stored as it is. */
const MODES = [[0, 0], [1, 0], [2, 0], [2, 1], [4, 0], [4, 1], [4, 2], [4, 3]]; // prettier-ignore
const SMALLEST = 1 + BLOCK / 4 / 8; // bytes that a block of zeros takes

/**
 * @param {string} member its name
 * @param {Uint8Array} stored
 * @param {number} size bytes that it has with its zeros, as the manifest says
 * @returns {Uint8Array}
 */
export function unpack(member, stored, size) {
  const count = Math.ceil(size / BLOCK);
  if (size < 1 || count * SMALLEST > stored.length) {
    throw new BundleError(`member '${member}' cannot hold ${size} bytes in ${stored.length}; the file is damaged or hostile`);
  }
  const modes = stored.subarray(0, count);
  const newest = modes.reduce((most, mode) => Math.max(most, mode), 0);
  if (newest >= MODES.length) {
    throw new BundleError(`member '${member}' has a block of the unknown mode ${newest}; the file is damaged`);
  }
  const blocks = new Uint8Array(count * BLOCK);
  let place = count;
  MODES.forEach((_, mode) => {
    const starts = [];
    for (let block = 0; block < count; block++) if (modes[block] === mode) starts.push(block * BLOCK);
    place = mode ? fillWords(member, stored, place, blocks, starts, mode) : copyBlocks(member, stored, place, blocks, starts);
  });
  if (place !== stored.length || blocks.subarray(size).some((byte) => byte !== 0)) {
    throw new BundleError(`member '${member}' holds more than the ${size} bytes that the manifest says; the file is damaged`);
  }
  return blocks.subarray(0, size);
}

/**
 * @param {string} member
 * @param {Uint8Array} stored
 * @param {number} place where these blocks begin in it
 * @param {Uint8Array} blocks to be filled
 * @param {number[]} starts of the blocks of mode 0
 * @returns {number} where the next mode begins
 */
function copyBlocks(member, stored, place, blocks, starts) {
  const end = checkEnd(member, stored, place + starts.length * BLOCK);
  starts.forEach((start, number) => blocks.set(stored.subarray(place + number * BLOCK, place + (number + 1) * BLOCK), start));
  return end;
}

/**
 * A block is read round: what stands before its first word makes the last word whole.
 * @param {string} member
 * @param {Uint8Array} stored
 * @param {number} place where the bitmaps begin in it
 * @param {Uint8Array} blocks to be filled
 * @param {number[]} starts of the blocks of the mode
 * @param {number} mode
 * @returns {number} where the next mode begins
 */
function fillWords(member, stored, place, blocks, starts, mode) {
  const [width, before] = MODES[mode];
  const words = BLOCK / width;
  let next = checkEnd(member, stored, place + (starts.length * words) / 8);
  starts.forEach((start, number) => {
    for (let word = 0; word < words; word++) {
      const bit = number * words + word;
      if (!(stored[place + (bit >> 3)] & (0x80 >> (bit & 7)))) continue;
      if (next + width > stored.length) checkEnd(member, stored, next + width);
      for (let byte = 0; byte < width; byte++) blocks[start + ((word * width + before + byte) % BLOCK)] = stored[next++];
    }
  });
  return next;
}

/**
 * @param {string} member
 * @param {Uint8Array} stored
 * @param {number} end
 * @returns {number} the same
 */
function checkEnd(member, stored, end) {
  if (end > stored.length) throw new BundleError(`member '${member}' breaks off; the file is damaged`);
  return end;
}
