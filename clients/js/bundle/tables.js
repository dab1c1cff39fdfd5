/** Tables: their arrays are those of their layout, and fit together and the catalogue. No table is read for it. */

import { BundleError } from "../errors.js";
import { LAYOUTS, SHADOW, SPARSE_LAYOUTS } from "./kinds.js";
import { layoutsOf } from "./whole.js";

/** @typedef {import("./kinds.js").Part} Part */
/** @typedef {import("./manifest.js").Manifest} Manifest */
/** @typedef {import("./manifest.js").TableMember} TableMember */

const MOST_PIECES = 256; // of a codebook

/** @param {Manifest} manifest */
export function checkTables(manifest) {
  for (const [role, layout] of layoutsOf(manifest)) {
    const parts = new Map(manifest.tables.filter((entry) => entry.role === role).map((entry) => [entry.part, entry]));
    if (layout === "features") continue; // looked at with the features
    const expected = layout === "shadow" ? SHADOW : { ...LAYOUTS, ...SPARSE_LAYOUTS }[layout];
    checkParts(layout, parts, expected);
    const rows = layout === "shadow" ? manifest.catalogue.items : rowsOf(layout, parts, expected);
    if (rows !== manifest.catalogue.items || !fits(layout, parts, manifest)) {
      throw new BundleError(
        `the arrays of the ${layout} table '${role}' fit neither each other nor ${manifest.catalogue.items} items; ` +
          "the file is damaged",
      );
    }
  }
}

/**
 * @param {string} layout
 * @param {Map<string, TableMember>} parts
 * @param {Readonly<Record<string, Part>>} expected
 */
function checkParts(layout, parts, expected) {
  for (const [name, want] of Object.entries(expected)) {
    const array = parts.get(name);
    if (!array && want.optional) continue;
    if (!array || !want.dtypes.includes(array.dtype) || array.shape.length !== want.axes) {
      throw new BundleError(
        `the ${layout} table's array '${name}' is ${array ? `${array.dtype} [${array.shape.join(", ")}]` : "missing"}; ` +
          `expected ${want.dtypes.join(" or ")}, ${want.axes} axes, the file is damaged`,
      );
    }
  }
  for (const name of parts.keys()) {
    if (!Object.hasOwn(expected, name)) {
      throw new BundleError(`the ${layout} table has an array '${name}', which its layout has not; the file is damaged`);
    }
  }
}

/**
 * @param {string} layout
 * @param {Map<string, TableMember>} parts
 * @param {Readonly<Record<string, Part>>} expected
 * @returns {number | null} the items that all arrays are for; null where they differ
 */
function rowsOf(layout, parts, expected) {
  const lengths = new Set([...parts].flatMap(([name, array]) => (expected[name].shared ? [] : array.shape[0])));
  if (lengths.size !== 1) return null;
  return layout in SPARSE_LAYOUTS ? axis(parts, "starts", 0) - 1 : [...lengths][0];
}

/**
 * @param {string} layout
 * @param {Map<string, TableMember>} parts
 * @param {Manifest} manifest
 * @returns {boolean} whether the other axes are as wide as the layout says
 */
function fits(layout, parts, { dims, catalogue }) {
  const width = parts.has("projection") ? axis(parts, "projection", 0) : dims;
  switch (layout) {
    case "fp32":
    case "fp16":
      return axis(parts, "values", 1) === dims;
    case "int8":
      return axis(parts, "codes", 1) === dims;
    case "int4":
      return axis(parts, "codes", 1) === Math.ceil(dims / 2);
    case "binary":
      return (
        axis(parts, "bits", 1) === Math.ceil(width / 8) &&
        (!parts.has("projection") || axis(parts, "projection", 1) === dims)
      );
    case "pq": {
      const [count, pieces, wide] = [0, 1, 2].map((number) => axis(parts, "codebooks", number));
      const covers = (count - 1) * wide < dims && dims <= count * wide;
      return axis(parts, "codes", 1) === count && pieces <= MOST_PIECES && covers;
    }
    case "shadow":
      return (
        axis(parts, "groups", 0) === Math.ceil(catalogue.items / 32) &&
        axis(parts, "groups", 1) === (2 * Math.ceil(dims / 8) + 1) * 64 &&
        axis(parts, "grid", 0) === 2
      );
    case "sparse-int8":
      return axis(parts, "starts", 0) === axis(parts, "scales", 0) + 1;
    default:
      return true;
  }
}

/**
 * @param {Map<string, TableMember>} parts
 * @param {string} name
 * @param {number} number
 * @returns {number} how long an axis is
 */
function axis(parts, name, number) {
  return parts.get(name)?.shape[number] ?? 0;
}
