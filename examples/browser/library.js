/** The bundles of the page: of one model, for one engine or for both. */

import { openBundle } from "edgerec";

/** @typedef {import("edgerec").Bundle} Bundle */
/** @typedef {import("./recommender.js").Target} Target */

/**
 * Open bundles, every byte of them checked, and find one for each target.
 * @param {{ name: string, bytes: Blob | Uint8Array }[]} files
 * @returns {Promise<Map<Target, Bundle>>}
 */
export async function openLibrary(files) {
  const found = new Map();
  for (const { name, bytes } of files) {
    const bundle = await openBundle(bytes, { verify: "full" }).catch((error) => {
      throw error.message.startsWith(name) ? error : new Error(`${name}: ${error.message}`);
    });
    const { graphs } = /** @type {{ graphs?: Record<Target, string> }} */ (bundle.manifest.retriever ?? {});
    if (bundle.kind !== "retriever") throw new Error(`${name}: its kind is ${bundle.kind}; this page takes retrievers`);
    if (!graphs) throw new Error(`${name} has no retriever graph; make one with edge-rec convert --graph retriever`);
    for (const target of Object.keys(graphs)) if (!found.has(target)) found.set(target, bundle);
  }
  const [first, other] = new Set(found.values());
  if (other && !sameItems(first, other)) {
    throw new Error(`${files.map((file) => file.name).join(" and ")} have different items; choose bundles of one model`);
  }
  return found;
}

/**
 * Fetch the bundles that the page is served with, whole, so that nothing needs the network later.
 * @returns {Promise<{ name: string, bytes: Uint8Array }[]>}
 */
export async function servedFiles() {
  /** @type {string[]} */
  const paths = await (await fetched("bundles.json")).json();
  if (!paths.length) throw new Error("no bundle is served with this page; open one of your own, or see the README");
  return Promise.all(
    paths.map(async (path) => ({
      name: decodeURIComponent(path.slice(path.lastIndexOf("/") + 1)),
      bytes: new Uint8Array(await (await fetched(path)).arrayBuffer()),
    })),
  );
}

/** @param {string} path */
async function fetched(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path} cannot be fetched (${response.status}); serve the page as its README says`);
  return response;
}

/**
 * @param {Bundle} one
 * @param {Bundle} other
 */
function sameItems(one, other) {
  return one.ids.length === other.ids.length && one.ids.every((id, row) => id === other.ids[row]);
}
