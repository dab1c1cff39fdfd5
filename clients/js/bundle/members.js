/** Which members a manifest names. */

/** @typedef {import("./manifest.js").Manifest} Manifest */

/**
 * @param {Manifest} manifest
 * @returns {string[]} every member but the manifest itself; one that is named twice stands twice
 */
export function membersOf(manifest) {
  const { ids, titles, attributes, popularity } = manifest.catalogue;
  const texts = [ids, titles, attributes, popularity];
  return [
    ...graphMembers(manifest),
    ...(manifest.retriever?.members.values() ?? []),
    ...vocabularies(manifest),
    ...manifest.tables.map((entry) => entry.member),
    ...texts.flatMap((member) => member ?? []),
  ];
}

/**
 * @param {Manifest} manifest
 * @returns {Set<string>} the members that hold encoders, rankers and their steps
 */
export function graphMembers(manifest) {
  return new Set([...manifest.encoders.map((entry) => entry.member), ...(manifest.steps?.values() ?? [])]);
}

/**
 * @param {Manifest} manifest
 * @returns {Set<string>} the members that hold words of features and nothing else
 */
export function vocabularies(manifest) {
  const found = manifest.features.flatMap((entry) => entry.vocabulary ?? []);
  return new Set(found.filter((member) => member !== manifest.catalogue.ids));
}
