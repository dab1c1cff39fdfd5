/** Reading what a bundle holds, each part checked before the next is believed. */

import { BundleError } from "../errors.js";
import { Feature } from "../features.js";
import { ItemValues } from "../item-values.js";
import { MANIFEST_LIMIT, parseManifest } from "./manifest.js";
import { membersOf, vocabularies } from "./members.js";
import { checkArray, npyHeader, npySize, readArray } from "./npy.js";
import { checkTables } from "./tables.js";
import { parseAttributes, parseLines, placesOf, textLimit } from "./texts.js";
import { unpack } from "./zeros.js";
import { ALIGNMENT, locate, readDirectory, readMember, take } from "./zip.js";

/** @typedef {import("./manifest.js").Manifest} Manifest */
/** @typedef {import("./npy.js").NumberArray} NumberArray */
/** @typedef {import("./source.js").Source} Source */
/** @typedef {import("./zip.js").Entry} Entry */
/** @typedef {Pick<import("./manifest.js").TableMember, "member" | "dtype" | "shape">} ArrayMember */

/**
 * @typedef {object} Contents
 * @property {Source} source
 * @property {Map<string, Entry>} entries
 * @property {Manifest} manifest
 * @property {string[]} ids
 * @property {Map<string, number>} places the row of each id
 * @property {string[] | null} titles
 * @property {Record<string, string[][]> | null} attributes
 * @property {Uint32Array | null} popularity
 * @property {Feature[]} features
 * @property {Map<string, ItemValues>} itemValues of a ranker, by feature
 */

/**
 * @param {Source} source
 * @returns {Promise<Contents>}
 */
export async function readContents(source) {
  const entries = await readDirectory(source);
  const first = entries.get("manifest.json");
  if (!first) throw new BundleError("the file has no member 'manifest.json'; it is a ZIP file but no bundle");
  const manifest = parseManifest(await readMember(source, first, MANIFEST_LIMIT));
  checkMembers(manifest, entries);
  checkTables(manifest);
  await checkArrays(source, entries, manifest);
  return { source, entries, manifest, ...(await readCatalogue(source, entries, manifest)) };
}

/**
 * @param {Source} source
 * @param {Map<string, Entry>} entries
 * @param {Manifest} manifest
 */
async function readCatalogue(source, entries, manifest) {
  const { items, ids, titles, attributes, popularity } = manifest.catalogue;
  const read = (/** @type {string} */ member) => readText(source, entries, member, items);
  const lines = async (/** @type {string} */ member) => parseLines(member, await read(member), items);
  const [idLines, titleLines, values, counts, features] = await Promise.all([
    lines(ids),
    titles === null ? null : lines(titles),
    attributes === null ? null : read(attributes).then((bytes) => parseAttributes(attributes, bytes, items)),
    popularity === null ? null : readValues(source, entries, manifest, { member: popularity, dtype: "uint32", shape: [items] }),
    readWords(source, entries, manifest),
  ]);
  const places = placesOf(ids, idLines);
  const made = manifest.features.map(
    (entry) => new Feature(entry, entry.vocabulary === ids ? places : features.get(entry.vocabulary ?? "") ?? new Map()),
  );
  return {
    ids: idLines,
    places,
    titles: titleLines,
    attributes: values,
    popularity: /** @type {Uint32Array | null} */ (counts),
    features: made,
    itemValues: manifest.kind === "ranker" ? await readItemValues(source, entries, manifest, made) : new Map(),
  };
}

/**
 * @param {Source} source
 * @param {Map<string, Entry>} entries
 * @param {Manifest} manifest
 * @returns {Promise<Map<string, Map<string, number>>>} for each member with words the place of each word
 */
async function readWords(source, entries, manifest) {
  const members = [...vocabularies(manifest)];
  const found = members.map(async (member) => {
    const bytes = await readText(source, entries, member, manifest.catalogue.items);
    return /** @type {const} */ ([member, placesOf(member, parseLines(member, bytes, null))]);
  });
  return new Map(await Promise.all(found));
}

/**
 * @param {Source} source
 * @param {Map<string, Entry>} entries
 * @param {Manifest} manifest
 * @param {Feature[]} features
 * @returns {Promise<Map<string, ItemValues>>}
 */
async function readItemValues(source, entries, manifest, features) {
  const found = manifest.tables.map(async (table) => {
    const feature = /** @type {Feature} */ (features.find((one) => one.name === table.part));
    const values = await readValues(source, entries, manifest, table);
    return /** @type {const} */ ([table.part, new ItemValues(feature, values, manifest.catalogue.items)]);
  });
  return new Map(await Promise.all(found));
}

/**
 * @param {Source} source
 * @param {Map<string, Entry>} entries
 * @param {string} member
 * @param {number} items
 * @returns {Promise<Uint8Array>}
 */
async function readText(source, entries, member, items) {
  const entry = entryOf(entries, member);
  return readMember(source, entry, entry.method ? textLimit(items) : entry.size);
}

/**
 * @param {Source} source
 * @param {Map<string, Entry>} entries
 * @param {Manifest} manifest
 * @param {ArrayMember} array
 * @returns {Promise<NumberArray>}
 */
async function readValues(source, entries, manifest, { member, dtype, shape }) {
  const entry = entryOf(entries, member);
  const stored = await readMember(source, entry, entry.size);
  const size = manifest.packed.get(member);
  return readArray(member, size === undefined ? stored : unpack(member, stored, size), dtype, shape);
}

/**
 * Check that the manifest and the file name the same members, each once.
 * @param {Manifest} manifest
 * @param {Map<string, Entry>} entries
 */
function checkMembers(manifest, entries) {
  const named = membersOf(manifest);
  const [once, inFile] = [new Set(named), new Set(entries.keys())];
  inFile.delete("manifest.json");
  const odd = [...once, ...inFile, ...manifest.sha256.keys()].filter(
    (member) => !once.has(member) || !inFile.has(member) || !manifest.sha256.has(member),
  );
  if (odd.length || once.size !== named.length) {
    throw new BundleError(
      `the manifest and the file name different members (${[...new Set(odd)].join(", ").slice(0, 200)}); ` +
        "the file is damaged or hostile",
    );
  }
}

/**
 * Check that every array is stored on its boundary, of the size that the manifest says; where reading is cheap, its header too.
 * @param {Source} source
 * @param {Map<string, Entry>} entries
 * @param {Manifest} manifest
 */
async function checkArrays(source, entries, manifest) {
  const { items, popularity } = manifest.catalogue;
  /** @type {ArrayMember[]} */
  const arrays = [...manifest.tables];
  if (popularity !== null) arrays.push({ member: popularity, dtype: "uint32", shape: [items] });
  for (const array of arrays) await checkOne(source, entryOf(entries, array.member), array, manifest.packed.get(array.member));
  if (!source.local) return;
  for (const entry of entries.values()) await locate(source, entry);
  for (const table of manifest.tables) {
    if (table.layout === "pq" && table.part === "codes") await checkCodes(source, entries, manifest, table);
  }
}

/**
 * Check that every product code has a piece in its codebook.
 * @param {Source} source
 * @param {Map<string, Entry>} entries
 * @param {Manifest} manifest
 * @param {import("./manifest.js").TableMember} codes
 */
async function checkCodes(source, entries, manifest, { role, member, shape, dtype }) {
  const codebooks = manifest.tables.find((table) => table.role === role && table.part === "codebooks");
  const [entry, whole] = [entryOf(entries, member), manifest.packed.get(member)];
  const start = await locate(source, entry);
  const stored = await take(source, start, start + entry.size);
  const content = whole === undefined ? stored : unpack(member, stored, whole);
  const values = /** @type {Uint8Array} */ (readArray(member, content, dtype, shape));
  const [most, pieces] = [values.reduce((one, other) => Math.max(one, other), 0), codebooks?.shape[1] ?? 0];
  if (most >= pieces) {
    throw new BundleError(`the pq table has the code ${most} and codebooks of ${pieces} pieces; the file is damaged`);
  }
}

/**
 * @param {Source} source
 * @param {Entry} entry
 * @param {ArrayMember} array
 * @param {number | undefined} whole bytes with zeros, where they were left out
 */
async function checkOne(source, entry, { member, dtype, shape }, whole) {
  if (entry.method) {
    throw new BundleError(`member '${member}' is deflated, and arrays are stored; the file was repacked, convert again`);
  }
  if ((whole ?? entry.size) !== npySize(dtype, shape)) checkArray(member, new Uint8Array(), 0, dtype, shape);
  if (!source.local) return;
  const start = await locate(source, entry);
  if (start % ALIGNMENT) {
    throw new BundleError(`member '${member}' is off the ${ALIGNMENT}-byte boundaries; the file was repacked, convert again`);
  }
  if (whole !== undefined) {
    const content = unpack(member, await readMember(source, entry, entry.size), whole);
    checkArray(member, content, whole, dtype, shape);
    return;
  }
  const head = Math.min(entry.size, npyHeader(dtype, shape).length);
  checkArray(member, await take(source, start, start + head), entry.size, dtype, shape);
}

/**
 * @param {Map<string, Entry>} entries
 * @param {string} member
 * @returns {Entry}
 */
function entryOf(entries, member) {
  const entry = entries.get(member);
  if (!entry) throw new BundleError(`there is no member '${member}'; the file is damaged`);
  return entry;
}
