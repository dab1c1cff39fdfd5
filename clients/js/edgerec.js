/** edgerec: reads edge-rec bundles (`*.edgerec`) in browsers and node. This module is all that is public. */

import { Bundle } from "./bundle.js";
import { readContents } from "./bundle/contents.js";
import { openSource } from "./bundle/source.js";
import { BundleError, EdgeRecError, RequestError, show } from "./errors.js";
import { Feature } from "./features.js";
import { rank, recommend } from "./recommend.js";

export { Bundle, BundleError, EdgeRecError, Feature, openBundle, rank, recommend, RequestError };

/**
 * Open a bundle.
 * @param {Uint8Array | ArrayBuffer | Blob | string | URL} given its bytes, the file that the user chose, or where it is fetched;
 *   of a URL whose server knows ranges only what is needed
 * @param {{ verify?: "structure" | "full" }} [options] `structure` checks directory, manifest and sizes; `full` hashes every
 *   member too, and so reads all of the file
 * @returns {Promise<Bundle>}
 * @throws {BundleError} the file is missing, damaged, hostile, or of a newer version
 */
async function openBundle(given, { verify = "structure" } = {}) {
  if (verify !== "structure" && verify !== "full") throw new RequestError(`verify is ${show(verify)}; use 'structure' or 'full'`);
  const source = await openSource(given);
  try {
    const bundle = new Bundle(await readContents(source));
    if (verify === "full") await bundle.verify();
    return bundle;
  } catch (error) {
    if (!(error instanceof BundleError) || !source.name || error.message.startsWith(source.name)) throw error;
    throw new BundleError(`${source.name}: ${error.message}`);
  }
}
