/** Where a bundle's bytes come from: memory, a file that the user chose, or a URL, of which only what is needed is fetched. */

import { BundleError, RequestError, show } from "../errors.js";

/**
 * @typedef {object} Source
 * @property {number} size bytes of the whole file
 * @property {boolean} local whether reading is cheap, so that every header is looked at when the bundle is opened
 * @property {string} name put before messages, or empty
 * @property {(start: number, end: number) => Promise<Uint8Array>} read give the bytes from start up to end
 */

const MOST = 2 ** 31 - 1; // bytes of a bundle
const HEAD = 2 ** 16; // bytes fetched first: the manifest is most often among them

/**
 * @param {Uint8Array | ArrayBuffer | Blob | string | URL} given
 * @returns {Promise<Source>}
 */
export async function openSource(given) {
  if (given instanceof ArrayBuffer) return fromBytes(new Uint8Array(given));
  if (ArrayBuffer.isView(given)) return fromBytes(new Uint8Array(given.buffer, given.byteOffset, given.byteLength));
  if (typeof Blob === "function" && given instanceof Blob) return fromBlob(given);
  if (typeof given === "string" || given instanceof URL) return fromUrl(String(given));
  throw new RequestError(`a bundle is opened from bytes, a Blob or a URL; this is ${show(given)}`);
}

/**
 * @param {Uint8Array} bytes
 * @param {string} name
 * @returns {Source}
 */
function fromBytes(bytes, name = "") {
  return { size: bytes.length, local: true, name, read: async (start, end) => bytes.subarray(start, end) };
}

/**
 * @param {Blob} blob
 * @returns {Source}
 */
function fromBlob(blob) {
  const name = "name" in blob ? String(blob.name) : "";
  return {
    size: blob.size,
    local: true,
    name,
    read: async (start, end) => {
      try {
        return new Uint8Array(await blob.slice(start, end).arrayBuffer());
      } catch (error) {
        throw new BundleError(`${name}: cannot be read (${reason(error)}); choose the file again`);
      }
    },
  };
}

/**
 * Ask for the beginning of the file. A server that knows ranges says with it how long the whole is; any other sends all of it.
 * @param {string} url
 * @returns {Promise<Source>}
 */
async function fromUrl(url) {
  const first = await request(url, `bytes=0-${HEAD - 1}`);
  if (first.status !== 206) return whole(url, first);
  const total = rangeTotal(first, 0);
  if (total !== null) return ranged(url, total, first.headers.get("etag"), await body(url, first, Math.min(HEAD, total)));
  await first.body?.cancel(); // across origins a server that knows ranges may not say how long the file is
  return whole(url, await request(url, null));
}

/**
 * @param {string} url
 * @param {Response} answer
 * @returns {Promise<Source>}
 */
async function whole(url, answer) {
  if (answer.status !== 200) {
    await answer.body?.cancel();
    throw new BundleError(`${url}: the server answers ${answer.status}; expected the file`);
  }
  return fromBytes(await body(url, answer, MOST), url);
}

/**
 * @param {string} url
 * @param {number} size
 * @param {string | null} tag what the server calls this version of the file
 * @param {Uint8Array} head its first bytes
 * @returns {Source}
 */
function ranged(url, size, tag, head) {
  const read = async (/** @type {number} */ start, /** @type {number} */ end) => {
    if (end <= head.length) return head.subarray(start, end);
    if (start >= end) return new Uint8Array();
    const answer = await request(url, `bytes=${start}-${end - 1}`);
    if (answer.status !== 206 || rangeTotal(answer, start) !== size || answer.headers.get("etag") !== tag) {
      await answer.body?.cancel();
      throw new BundleError(`${url}: the file changed while it was read, or the server forgot what ranges are; open it again`);
    }
    return body(url, answer, end - start);
  };
  return { size, local: false, name: url, read };
}

/**
 * @param {string} url
 * @param {string | null} range
 * @returns {Promise<Response>}
 */
async function request(url, range) {
  try {
    return await fetch(url, range ? { headers: { Range: range } } : {});
  } catch (error) {
    throw new BundleError(`${url}: cannot be fetched (${reason(error)}); look at the address and the connection`);
  }
}

/**
 * Read an answer's bytes, never more than were asked for.
 * @param {string} url
 * @param {Response} answer
 * @param {number} most
 * @returns {Promise<Uint8Array>}
 */
async function body(url, answer, most) {
  const pieces = [];
  let length = 0;
  try {
    const reader = answer.body?.getReader();
    for (let piece = await reader?.read(); piece && !piece.done; piece = await reader?.read()) {
      length += piece.value.length;
      if (length > most) {
        await reader?.cancel();
        break;
      }
      pieces.push(piece.value);
    }
  } catch (error) {
    throw new BundleError(`${url}: the connection broke (${reason(error)}); open it again`);
  }
  if (length > most) throw new BundleError(`${url}: the server sends more than ${most} bytes; this is no bundle`);
  return join(pieces, length);
}

/**
 * @param {Uint8Array[]} pieces
 * @param {number} length of all together
 * @returns {Uint8Array}
 */
export function join(pieces, length) {
  if (pieces.length === 1) return pieces[0];
  const whole = new Uint8Array(length);
  let place = 0;
  for (const piece of pieces) {
    whole.set(piece, place);
    place += piece.length;
  }
  return whole;
}

/**
 * @param {Response} answer
 * @param {number} start where the range was asked to begin
 * @returns {number | null} bytes of the whole file; null where the answer does not say, or is compressed on the way
 */
function rangeTotal(answer, start) {
  const found = /^bytes (\d+)-\d+\/(\d+)$/.exec(answer.headers.get("content-range") ?? "");
  if (!found || Number(found[1]) !== start || answer.headers.get("content-encoding")) return null;
  return Number(found[2]);
}

/**
 * @param {unknown} error
 * @returns {string}
 */
function reason(error) {
  return error instanceof Error ? error.message : String(error);
}
