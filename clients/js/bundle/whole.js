/** What no single value of a manifest shows: that its parts fit together and are those of its kind. */

import { BundleError } from "../errors.js";
import { INDEX_DTYPES, KINDS, SHADOWED } from "./kinds.js";
import { graphMembers } from "./members.js";

/** @typedef {import("./manifest.js").Manifest} Manifest */

/** @param {Manifest} manifest */
export function checkWhole(manifest) {
  checkGraphs(manifest);
  const layouts = layoutsOf(manifest);
  if (new Set(manifest.tables.map((entry) => entry.name)).size !== manifest.tables.length) {
    refuse("names one table array twice");
  }
  for (const { name, role, part, layout } of manifest.tables) {
    const fits = name === `${role}.${part}` && layout === layouts.get(role);
    if (!fits) refuse(`has a table array '${name}' that does not fit its role`);
  }
  if (layouts.has("shadow") && !SHADOWED.includes(layouts.get("items") ?? "")) refuse("names a shadow of items that have none");
  const { needed } = KINDS[manifest.kind];
  if (needed !== null && !layouts.has(needed)) refuse(`names no table of the role '${needed}'`);
  const may = new Set([...graphMembers(manifest), ...manifest.tables.map((entry) => entry.member)]);
  for (const member of manifest.packed.keys()) {
    if (!may.has(member)) refuse(`says that zeros were left out of '${member.slice(0, 60)}', which is no graph and no table`);
  }
  checkFeatures(manifest);
}

/**
 * @param {Manifest} manifest
 * @returns {Map<string, string>} the layout of each role's table
 */
export function layoutsOf(manifest) {
  return new Map(manifest.tables.map((entry) => [entry.role, entry.layout]));
}

/** @param {Manifest} manifest */
function checkGraphs(manifest) {
  const { kind, encoders, features } = manifest;
  if (new Set(encoders.map((entry) => entry.target)).size !== encoders.length) refuse("names two encoders for one target");
  if (encoders.length && KINDS[kind].graph === null) refuse(`names a graph, and a bundle of the kind '${kind}' has none`);
  if (manifest.steps && (kind !== "retriever" || features.length)) refuse("names steps for what cannot go on from a state");
  if (manifest.retriever && kind !== "retriever") refuse(`names a retriever graph, and the kind is '${kind}'`);
}

/** @param {Manifest} manifest */
function checkFeatures(manifest) {
  const { kind, features } = manifest;
  if (kind === "ranker" && !features.length) refuse("names no feature of the ranker");
  if (new Set(features.map((entry) => entry.name)).size !== features.length) refuse("names one feature twice");
  for (const entry of features) {
    if ((entry.vocabulary === null) !== (entry.kind === "number") || (entry.longest > 1 && entry.kind !== "categories")) {
      refuse(`gives the feature '${entry.name}' words or a length that its kind '${entry.kind}' has not`);
    }
  }
  if (kind === "ranker") checkItemValues(manifest);
}

/**
 * Check that each feature of items has an array of its kind, with a row an item.
 * @param {Manifest} manifest
 */
function checkItemValues(manifest) {
  const ofItems = manifest.features.filter((entry) => entry.of === "item");
  const arrays = new Map(manifest.tables.map((entry) => [entry.part, entry]));
  if (arrays.size !== ofItems.length) refuse("has not the values of items that the ranker needs");
  for (const feature of ofItems) {
    const array = arrays.get(feature.name);
    const axes = feature.kind === "categories" ? 2 : 1;
    const dtypes = feature.kind === "number" ? ["float32"] : INDEX_DTYPES;
    const fits = array && dtypes.includes(array.dtype) && array.shape.length === axes;
    if (!fits || array.shape[0] !== manifest.catalogue.items || (axes === 2 && array.shape[1] > feature.longest)) {
      refuse(`has values of '${feature.name}' that are not one an item and of the kind '${feature.kind}'`);
    }
  }
}

/**
 * @param {string} what
 * @returns {never}
 */
function refuse(what) {
  throw new BundleError(`manifest.json ${what}; the file is damaged`);
}
