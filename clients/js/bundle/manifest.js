/** The manifest: what is in a bundle, read from hostile JSON. */

import { BundleError } from "../errors.js";
import * as fields from "./fields.js";
import { parseStrictly } from "./json.js";
import { KINDS } from "./kinds.js";
import { DTYPES } from "./npy.js";
import { parsePrecision } from "./precision.js";
import { leastVersion, RETRIEVER_SINCE, SCHEMA_VERSION, STEPS_SINCE } from "./versions.js";
import { checkWhole } from "./whole.js";

/** @typedef {{ target: string, member: string }} GraphMember */
/** @typedef {{ name: string, kind: string, of: string, vocabulary: string | null, longest: number }} FeatureMember */
/** @typedef {{ k: number, members: Map<string, string> }} RetrieverMember */

/**
 * @typedef {object} TableMember
 * @property {string} name `<role>.<part>`
 * @property {string} part
 * @property {string} role
 * @property {string} layout
 * @property {string} dtype
 * @property {number[]} shape
 * @property {string} member
 */

/**
 * @typedef {object} CatalogueMembers
 * @property {number} items
 * @property {string} ids
 * @property {string | null} titles
 * @property {string | null} attributes
 * @property {string | null} popularity
 */

/**
 * @typedef {object} Manifest
 * @property {fields.Fields} record all of it, as it stands in the file
 * @property {string} kind a key of `KINDS`
 * @property {GraphMember[]} encoders
 * @property {number} maxLength newest events of a history that count; 0 where the kind takes no history
 * @property {number} dims width of a vector; 0 where the kind has none
 * @property {FeatureMember[]} features what the graph takes besides, in the order of its inputs
 * @property {TableMember[]} tables one entry an array
 * @property {CatalogueMembers} catalogue
 * @property {Map<string, string>} sha256 hex digest of every member but the manifest
 * @property {Map<string, number>} packed bytes of members that are stored without their zeros, with them
 * @property {Map<string, string> | null} steps the member of each target's step graph
 * @property {RetrieverMember | null} retriever the whole retriever as one graph, where the bundle has it
 */

export const MANIFEST_LIMIT = 4 * 2 ** 20; // bytes
const TARGETS = ["onnx", "tflite"];
const FEATURE_KINDS = ["category", "categories", "number"];
const LONGEST = 1_000_000; // events or words
const LARGEST = 2 ** 31 - 1; // bytes of a member
const WIDEST = 2 ** 16;
const MOST_VALUES = 2 ** 28; // of a state that an encoder remembers

/**
 * @param {Uint8Array} bytes
 * @returns {Manifest}
 */
export function parseManifest(bytes) {
  const record = load(bytes);
  const version = fields.number(record, "schema_version", 1);
  if (version > SCHEMA_VERSION) {
    throw new BundleError(
      `the bundle has schema version ${version}; this release of edgerec reads versions 1 to ${SCHEMA_VERSION}, upgrade it`,
    );
  }
  const name = fields.choice(record, "kind", Object.keys(KINDS));
  const [kind, inputs] = [KINDS[name], fields.mapping(record, "inputs")];
  for (const key of ["metrics", "verification", "provenance"]) fields.mapping(record, key);
  fields.text(record, "name");
  fields.number(record, "model_bytes");
  parsePrecision(fields.mapping(record, "precision"), name);
  const encoders = fields.mappings(record, "encoders").map((entry) => ({
    target: fields.choice(entry, "target", TARGETS),
    member: fields.text(entry, "member"),
  }));
  const targets = encoders.map((entry) => entry.target);
  const catalogue = parseCatalogue(fields.mapping(record, "catalogue"));
  const maxLength = kind.window ? fields.number(inputs, "max_length", 1, LONGEST) : 0;
  /** @type {Manifest} */
  const manifest = {
    record,
    kind: name,
    encoders,
    maxLength,
    dims: kind.vectors ? fields.number(inputs, "dims", 1) : 0,
    features: (Object.hasOwn(inputs, "features") ? fields.mappings(inputs, "features") : []).map((entry) =>
      parseFeature(entry, kind.features),
    ),
    tables: fields.mappings(record, "tables").map((entry) => parseTable(entry, kind.roles)),
    catalogue,
    sha256: parseDigests(fields.mapping(record, "sha256")),
    packed: parsePacked(Object.hasOwn(record, "packed") ? fields.mapping(record, "packed") : {}),
    steps: has(record, "steps", version >= STEPS_SINCE)
      ? parseSteps(fields.mapping(record, "steps"), targets, maxLength)
      : null,
    retriever: has(record, "retriever", version >= RETRIEVER_SINCE)
      ? parseRetriever(fields.mapping(record, "retriever"), targets, catalogue.items)
      : null,
  };
  const least = leastVersion(manifest);
  if (least > version) {
    throw new BundleError(
      `manifest.json says schema version ${version} and uses what came with ${least}; the file is damaged`,
    );
  }
  checkWhole(manifest);
  return manifest;
}

/**
 * @param {Uint8Array} bytes
 * @returns {fields.Fields}
 */
function load(bytes) {
  let record;
  try {
    record = parseStrictly(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (error) {
    const why = String(error instanceof Error ? error.message : error).slice(0, 120);
    throw new BundleError(`manifest.json is not the JSON of a manifest (${why}); the file is damaged`);
  }
  if (!fields.isMapping(record)) throw new BundleError("manifest.json holds no object; the file is damaged");
  return record;
}

/**
 * An older version's unknown keys are skipped.
 * @param {fields.Fields} record
 * @param {string} key
 * @param {boolean} known whether the file's version has it
 */
function has(record, key, known) {
  return known && Object.hasOwn(record, key);
}

/**
 * @param {fields.Fields} record
 * @param {readonly string[]} of
 * @returns {FeatureMember}
 */
function parseFeature(record, of) {
  return {
    name: fields.text(record, "name"),
    kind: fields.choice(record, "kind", FEATURE_KINDS),
    of: fields.choice(record, "of", of),
    vocabulary: fields.optionalText(record, "vocabulary"),
    longest: fields.number(record, "longest", 1, LONGEST),
  };
}

/**
 * @param {fields.Fields} record
 * @param {Readonly<Record<string, readonly string[]>>} roles
 * @returns {TableMember}
 */
function parseTable(record, roles) {
  const [name, role] = [fields.text(record, "name"), fields.choice(record, "role", Object.keys(roles))];
  return {
    name,
    part: name.startsWith(`${role}.`) ? name.slice(role.length + 1) : name,
    role,
    layout: fields.choice(record, "layout", roles[role]),
    dtype: fields.choice(record, "dtype", Object.keys(DTYPES)),
    shape: fields.shape(record, "shape"),
    member: fields.text(record, "member"),
  };
}

/**
 * @param {fields.Fields} record
 * @returns {CatalogueMembers}
 */
function parseCatalogue(record) {
  return {
    items: fields.number(record, "items", 1),
    ids: fields.text(record, "ids"),
    titles: fields.optionalText(record, "titles"),
    attributes: fields.optionalText(record, "attributes"),
    popularity: fields.optionalText(record, "popularity"),
  };
}

/**
 * @param {fields.Fields} record
 * @returns {Map<string, string>}
 */
function parseDigests(record) {
  for (const [member, digest] of Object.entries(record)) {
    if (typeof digest !== "string" || !/^[0-9a-f]{64}$/.test(digest)) {
      fields.refuse(`sha256 of '${member}'`, digest, "64 hex digits");
    }
  }
  return new Map(Object.entries(/** @type {Record<string, string>} */ (record)));
}

/**
 * @param {fields.Fields} record
 * @returns {Map<string, number>}
 */
function parsePacked(record) {
  return new Map(Object.keys(record).map((member) => [member, fields.number(record, member, 1, LARGEST)]));
}

/**
 * @param {fields.Fields} record
 * @param {string[]} targets
 * @param {number} maxLength
 * @returns {Map<string, string>}
 */
function parseSteps(record, targets, maxLength) {
  const state = fields.mappings(record, "state").map((entry) => ({
    name: fields.text(entry, "name"),
    width: fields.number(entry, "width", 1, WIDEST),
    perEvent: fields.truth(entry, "per_event"),
  }));
  const members = parseGraphs(fields.mapping(record, "graphs"));
  const names = new Set(state.map((part) => part.name));
  const odd = names.size !== state.length || names.has("vectors") || names.has("past");
  if (!state.length || odd || !members.size || [...members.keys()].some((target) => !targets.includes(target))) {
    throw new BundleError(
      "manifest.json: steps has no state, parts of one name, or graphs for targets that have no encoder; the file is damaged",
    );
  }
  const values = state.reduce((sum, part) => sum + part.width * (part.perEvent ? maxLength : 1), 0);
  if (values > MOST_VALUES) {
    throw new BundleError(
      `manifest.json: steps would remember ${values} values; at most ${MOST_VALUES} are taken, the file is damaged`,
    );
  }
  return members;
}

/**
 * @param {fields.Fields} record
 * @param {string[]} targets
 * @param {number} items
 * @returns {RetrieverMember}
 */
function parseRetriever(record, targets, items) {
  const k = fields.number(record, "k", 1, items);
  const members = parseGraphs(fields.mapping(record, "graphs"));
  if (!members.size || [...members.keys()].some((target) => !targets.includes(target))) {
    throw new BundleError(
      `manifest.json: retriever has graphs for ${[...members.keys()].join(", ").slice(0, 100) || "no target"}; ` +
        `expected some of the targets that have an encoder (${targets.join(", ") || "none"}), the file is damaged`,
    );
  }
  return { k, members };
}

/**
 * @param {fields.Fields} record
 * @returns {Map<string, string>} the member of each target
 */
function parseGraphs(record) {
  return new Map(Object.keys(record).map((target) => [target, fields.text(record, target)]));
}
