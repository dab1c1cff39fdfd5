/** The grammar of precisions, as far as a reader must know it: words, and what a kind of model cannot have. */

import { BundleError } from "../errors.js";
import * as fields from "./fields.js";

const ITEMS = ["fp32", "fp16", "int8", "int4", "binary", "pq"];
const NETWORK = ["fp32", "fp16", "int8", "int8-dynamic", "int8-static", "int8-weights", "binary"];
const RESCORE = ["none", "int8"];

/**
 * @param {fields.Fields} record
 * @param {string} kind
 */
export function parsePrecision(record, kind) {
  const items = fields.choice(record, "items", ITEMS);
  const network = fields.choice(record, "network", NETWORK);
  const rescore = fields.choice(record, "rescore", RESCORE);
  const plain = items === "fp32" ? network === "fp32" : items === "int8" && network.startsWith("int8");
  const fits = {
    retriever: true,
    neighbours: plain && rescore === "none",
    ranker: rescore === "none" && items !== "pq",
  }[kind];
  if (!fits) {
    const precision = `items=${items},network=${network},rescore=${rescore}`;
    throw new BundleError(`manifest.json: the precision ${precision} is not for a ${kind}; the file is damaged`);
  }
}
