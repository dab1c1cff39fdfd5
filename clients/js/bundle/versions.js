/** Schema versions: what each has that the one before has not. */

/** @typedef {import("./manifest.js").Manifest} Manifest */

export const SCHEMA_VERSION = 4; // the newest that is read
export const STEPS_SINCE = 3;
export const RETRIEVER_SINCE = 4;

const BINARY = ["bits", "scales", "bias", "projection"]; // what binary codes have in version 1

/**
 * @param {Manifest} manifest
 * @returns {number} the oldest schema version that has all that a bundle uses
 */
export function leastVersion(manifest) {
  if (manifest.retriever) return RETRIEVER_SINCE;
  if (manifest.steps || manifest.tables.some((entry) => entry.layout === "shadow")) return STEPS_SINCE;
  const newer = manifest.tables.some((entry) => {
    const parts = manifest.tables.filter((other) => other.role === entry.role).map((other) => other.part);
    return entry.layout === "pq" || (entry.layout === "binary" && BINARY.some((part) => !parts.includes(part)));
  });
  return newer || manifest.packed.size ? 2 : 1;
}
