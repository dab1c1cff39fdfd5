/** An open bundle: what an app asks it for. */

import { checkDigest, checkCanonical } from "./bundle/verify.js";
import { readMember } from "./bundle/zip.js";
import { unpack } from "./bundle/zeros.js";
import { textLimit } from "./bundle/texts.js";
import { BundleError, RequestError, show } from "./errors.js";
import { encodeContext } from "./features.js";
import { textsOf } from "./ids.js";

/** @typedef {import("./bundle/contents.js").Contents} Contents */
/** @typedef {import("./features.js").Feature} Feature */
/** @typedef {import("./features.js").Input} Input */

/** @typedef {{ id: string, title: string | null, score: number }} Result an item of an answer */

const SHORTEST = 8; // events; histories are padded to this or to a doubling of it, so that engines plan few shapes

/** What is in a bundle. Made by `openBundle`. */
export class Bundle {
  #contents;

  /** @param {Contents} contents */
  constructor(contents) {
    this.#contents = contents;
    const { manifest } = contents;
    /** The manifest as it stands in the file; `docs/bundle-format.md` describes it. */
    this.manifest = manifest.record;
    /** `retriever`, `neighbours` or `ranker`. */
    this.kind = manifest.kind;
    /** The newest events of a history that count; 0 where the kind takes no history. */
    this.maxLength = manifest.maxLength;
    /** Items that an answer of the retriever graph holds; 0 where the bundle has none. */
    this.k = manifest.retriever?.k ?? 0;
    /** One id a row. */
    this.ids = contents.ids;
    /** One title a row, or null. */
    this.titles = contents.titles;
    /** For each attribute the values of every item, or null. */
    this.attributes = contents.attributes;
    /** How often each item was met in training, or null. */
    this.popularity = contents.popularity;
    /** What the graph takes besides a history, in the order of its inputs. */
    this.features = contents.features;
  }

  /**
   * Read the graph that an app runs: of a retriever the whole one, from rows of a history to rows of items; of a ranker its own.
   * @param {"onnx" | "tflite"} target
   * @returns {Promise<Uint8Array>} its bytes, checksum compared
   */
  async graph(target) {
    const { manifest } = this.#contents;
    const rankers = this.kind === "ranker" ? manifest.encoders : [];
    /** @type {Map<string, string>} */
    const graphs = manifest.retriever?.members ?? new Map(rankers.map((entry) => [entry.target, entry.member]));
    const member = graphs.get(target);
    if (member === undefined) {
      const has = [...graphs.keys()].join(" and ") || "none";
      const make = this.kind === "retriever" ? `convert with --graph retriever --to ${target}` : "others may have one";
      throw new RequestError(`this ${this.kind}'s bundle has no ${show(target)} graph for apps, it has ${has}; ${make}`);
    }
    return this.#read(member);
  }

  /**
   * Look ids up.
   * @param {Iterable<string>} ids in any order, repeated or not
   * @returns {{ rows: Int32Array, unknown: string[] }} the rows of the known ids, in the order given, and the other ids
   */
  rows(ids) {
    const { places } = this.#contents;
    const asked = textsOf(ids);
    const rows = asked.flatMap((id) => places.get(id) ?? []);
    return { rows: Int32Array.from(rows), unknown: asked.filter((id) => !places.has(id)) };
  }

  /**
   * Make the retriever graph's input of one history.
   * @param {Iterable<string>} ids oldest first; unknown ones are left out
   * @param {{ length?: number }} [options] how long; of more events the newest are kept. Unless given: as many as there are,
   *   padded to 8, 16, 32, ... up to the model's window, beyond it to a multiple of that
   * @returns {Int32Array} rows, padded with -1 after their end
   */
  history(ids, { length } = {}) {
    if (this.kind !== "retriever") throw new RequestError(`a ${this.kind} has no graph that takes a history`);
    const { rows } = this.rows(ids);
    const whole = length ?? this.#bucket(rows.length);
    if (!Number.isSafeInteger(whole) || whole < 1 || whole > 2 ** 24) {
      throw new RequestError(`length is ${show(length)}; expected a whole number from 1 to ${2 ** 24}`);
    }
    const padded = new Int32Array(whole).fill(-1);
    padded.set(rows.subarray(Math.max(0, rows.length - whole)));
    return padded;
  }

  /**
   * Encode what comes with a request, for models that take a context.
   * @param {Record<string, unknown>} context a value for each feature of the context
   * @returns {Record<string, Input>} for each its input, one row
   */
  context(context = {}) {
    return encodeContext(this.features, context);
  }

  /**
   * Read one history's answer of the retriever graph.
   * @param {ArrayLike<number>} items [k] rows, best first; -1 where no more are left
   * @param {ArrayLike<number>} scores [k]
   * @param {number} [k] how many are wanted; all unless given
   * @returns {Result[]}
   */
  results(items, scores, k = this.k) {
    this.checkK(k);
    if (items.length === undefined || scores.length === undefined) {
      throw new RequestError("items or scores are no list of numbers; of tensors give the data: items.data, scores.data");
    }
    if (items.length !== this.k || scores.length !== this.k) {
      throw new RequestError(
        `there are ${items.length} items and ${scores.length} scores; the graph gives ${this.k} a history, give those of one`,
      );
    }
    const found = [];
    for (let place = 0; place < k && items[place] !== -1; place++) found.push(this.result(items[place], scores[place]));
    return found;
  }

  /**
   * @param {number} row of the catalogue
   * @param {number} score
   * @returns {Result}
   */
  result(row, score) {
    const id = this.ids[row];
    if (id === undefined) {
      throw new RequestError(`the graph names row ${row} of ${this.ids.length} items; it is not this bundle's graph`);
    }
    return { id, title: this.titles?.[row] ?? null, score: Number(score) };
  }

  /**
   * Refuse a k that the retriever graph has no answer for.
   * @param {number} k
   */
  checkK(k) {
    if (!this.k) {
      throw new RequestError(`this ${this.kind}'s bundle has no retriever graph; convert a retriever with --graph retriever`);
    }
    if (Number.isSafeInteger(k) && k >= 1 && k <= this.k) return;
    const more = Number(k) > this.k ? `; convert with --graph-k ${k} for more` : "";
    throw new RequestError(`k is ${show(k)}; this graph gives from 1 to ${this.k} items${more}`);
  }

  /**
   * Make a ranker's inputs for candidates.
   * @param {Iterable<string>} ids each is taken once
   * @param {Record<string, unknown>} [context] a value for each feature of the context
   * @returns {{ inputs: Record<string, Input>, rows: Int32Array, unknown: string[] }} an input a feature, a row a known candidate
   */
  candidates(ids, context = {}) {
    if (this.kind !== "ranker") throw new RequestError(`a ${this.kind} ranks no candidates; ask it with a history`);
    const { rows, unknown } = this.rows(new Set(textsOf(ids)));
    const request = encodeContext(this.features, context, rows.length);
    const inputs = this.features.map((feature) => {
      const ofItems = this.#contents.itemValues.get(feature.name);
      return [feature.name, ofItems ? ofItems.take(rows) : request[feature.name]];
    });
    return { inputs: Object.fromEntries(inputs), rows, unknown };
  }

  /**
   * Compare every member with its SHA-256, and every byte around them with the format.
   * @returns {Promise<void>}
   */
  async verify() {
    const { source, entries, manifest } = this.#contents;
    await checkCanonical(source, entries.values());
    for (const [member, want] of manifest.sha256) {
      await checkDigest(member, await this.#stored(member), want);
    }
  }

  /**
   * @param {string} member
   * @returns {Promise<Uint8Array>} its bytes, zeros put back
   */
  async #read(member) {
    const stored = await this.#stored(member);
    const size = this.#contents.manifest.packed.get(member);
    return size === undefined ? stored : unpack(member, stored, size);
  }

  /**
   * @param {string} member
   * @returns {Promise<Uint8Array>} its bytes as they are stored, inflated
   */
  async #stored(member) {
    const { source, entries, manifest } = this.#contents;
    const entry = entries.get(member);
    if (!entry) throw new BundleError(`there is no member '${member}'; the file is damaged`);
    return readMember(source, entry, entry.method ? textLimit(manifest.catalogue.items) : entry.size);
  }

  /**
   * @param {number} events
   * @returns {number} the length that a history of so many events is padded to
   */
  #bucket(events) {
    let length = SHORTEST;
    while (length < events && length < this.maxLength) length *= 2;
    return events <= this.maxLength ? Math.min(length, this.maxLength) : Math.ceil(events / this.maxLength) * this.maxLength;
  }
}
