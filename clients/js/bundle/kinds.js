/** The kinds of models that a bundle can hold, and the tables that each may have. */

/**
 * @typedef {object} Kind
 * @property {string | null} graph what its graphs are called; null where it has none
 * @property {Readonly<Record<string, readonly string[]>>} roles the layouts that the table of each role may have
 * @property {string | null} needed the role that must be there
 * @property {boolean} window whether a request has a history
 * @property {boolean} vectors whether tables hold vectors
 * @property {readonly string[]} features what the features that its graph takes may be of
 */

/**
 * @typedef {object} Part
 * @property {readonly string[]} dtypes that it may have
 * @property {number} axes
 * @property {boolean} [optional]
 * @property {boolean} [shared] whether it has no row an item
 */

const [HALF_OR_SINGLE, HALF, SINGLE, BYTE] = [["float16", "float32"], ["float16"], ["float32"], ["uint8"]];
const SCALES = { dtypes: HALF_OR_SINGLE, axes: 1 };
const BIAS = { dtypes: HALF_OR_SINGLE, axes: 1, optional: true };
const EXACT_BIAS = { dtypes: SINGLE, axes: 1, optional: true };

/** @type {Readonly<Record<string, Readonly<Record<string, Part>>>>} the arrays of each layout of items, the rows' first */
export const LAYOUTS = {
  fp32: { values: { dtypes: SINGLE, axes: 2 }, bias: EXACT_BIAS },
  fp16: { values: { dtypes: HALF, axes: 2 }, bias: EXACT_BIAS },
  int8: { codes: { dtypes: ["int8"], axes: 2 }, scales: SCALES, bias: BIAS },
  int4: { codes: { dtypes: BYTE, axes: 2 }, scales: SCALES, bias: BIAS },
  binary: {
    bits: { dtypes: BYTE, axes: 2 },
    scales: { dtypes: HALF, axes: 1, optional: true },
    bias: { dtypes: HALF, axes: 1, optional: true },
    projection: { dtypes: SINGLE, axes: 2, optional: true, shared: true },
  },
  pq: { codes: { dtypes: BYTE, axes: 2 }, codebooks: { dtypes: HALF_OR_SINGLE, axes: 3, shared: true }, bias: BIAS },
};

const STARTS = { dtypes: ["uint32"], axes: 1, shared: true };
const ITEMS = { dtypes: ["uint16", "uint32"], axes: 1 };

/** @type {Readonly<Record<string, Readonly<Record<string, Part>>>>} the arrays of each layout of neighbours */
export const SPARSE_LAYOUTS = {
  "sparse-fp32": { starts: STARTS, items: ITEMS, values: { dtypes: SINGLE, axes: 1 } },
  "sparse-int8": {
    starts: STARTS,
    items: ITEMS,
    codes: { dtypes: ["int8"], axes: 1 },
    scales: { dtypes: HALF_OR_SINGLE, axes: 1, shared: true },
  },
};

export const SHADOW = { groups: { dtypes: BYTE, axes: 2, shared: true }, grid: { dtypes: SINGLE, axes: 1, shared: true } };
export const SHADOWED = ["fp32", "fp16", "int8"]; // layouts of items that may have a shadow
export const INDEX_DTYPES = ["uint8", "uint16", "int32"]; // what indexes of features may be stored in

/** @type {Readonly<Record<string, Kind>>} */
export const KINDS = {
  retriever: {
    graph: "encoder",
    roles: { items: Object.keys(LAYOUTS), rescore: Object.keys(LAYOUTS), shadow: ["shadow"] },
    needed: "items",
    window: true,
    vectors: true,
    features: ["context"],
  },
  neighbours: {
    graph: null,
    roles: { neighbours: Object.keys(SPARSE_LAYOUTS) },
    needed: "neighbours",
    window: true,
    vectors: false,
    features: [],
  },
  ranker: {
    graph: "ranker",
    roles: { "item-features": ["features"] },
    needed: null,
    window: false,
    vectors: false,
    features: ["item", "context"],
  },
};
