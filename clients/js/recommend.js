/** From ids to answers in one call; the engine is the caller's. */

import { RequestError, show } from "./errors.js";
import { textsOf } from "./ids.js";

/** @typedef {import("./bundle.js").Bundle} Bundle */
/** @typedef {import("./bundle.js").Result} Result */
/** @typedef {import("./features.js").Input} Input */

/**
 * @typedef {object} Answer
 * @property {Result[]} items best first
 * @property {string[]} unknown ids that the catalogue does not have
 * @property {boolean} fallback whether popularity answered, because nothing of the history is known
 */

/**
 * Recommend the next items after a history.
 * @param {Bundle} bundle a retriever's
 * @param {Iterable<string>} ids oldest first
 * @param {object} options
 * @param {(inputs: Record<string, Input>) => Promise<{ items: ArrayLike<number>, scores: ArrayLike<number> }>} options.run the
 *   engine: it is given the graph's inputs by name and gives its outputs
 * @param {number} [options.k] how many
 * @param {Record<string, unknown>} [options.context] for models that take one
 * @param {number} [options.length] see `Bundle.history`
 * @returns {Promise<Answer>}
 */
export async function recommend(bundle, ids, { run, k = 10, context = {}, length }) {
  bundle.checkK(k);
  checkEngine(run);
  const asked = textsOf(ids);
  const { rows, unknown } = bundle.rows(asked);
  const data = bundle.history(asked, { length });
  const { items, scores } = await run({ history: { type: "int32", data, dims: [1, data.length] }, ...bundle.context(context) });
  const seen = new Set(asked); // of a history that is longer than the input, the graph is not told the oldest events
  const unseen = bundle.results(items, scores).filter(({ id }) => !seen.has(id));
  return { items: unseen.slice(0, k), unknown, fallback: !rows.length };
}

/**
 * Put candidates in order, best first; of equal ones the one that was given first stands first.
 * @param {Bundle} bundle a ranker's
 * @param {Iterable<string>} ids
 * @param {object} options
 * @param {(inputs: Record<string, Input>) => Promise<ArrayLike<number>>} options.run the engine: it is given the graph's inputs
 *   by name and gives `logit`
 * @param {Record<string, unknown>} [options.context]
 * @returns {Promise<{ items: Result[], unknown: string[] }>} the known candidates; their scores are the sigmoids of the logits
 */
export async function rank(bundle, ids, { run, context = {} }) {
  checkEngine(run);
  const { inputs, rows, unknown } = bundle.candidates(ids, context);
  if (!rows.length) return { items: [], unknown };
  const logits = Array.from(await run(inputs));
  if (logits.length !== rows.length || !logits.every(Number.isFinite)) {
    throw new RequestError(`the graph gave ${logits.length} logits for ${rows.length} candidates, or one that is not finite`);
  }
  const order = [...rows.keys()].sort((one, other) => logits[other] - logits[one]);
  return { items: order.map((place) => bundle.result(rows[place], sigmoid(logits[place]))), unknown };
}

/**
 * @param {unknown} run
 */
function checkEngine(run) {
  if (typeof run === "function") return;
  throw new RequestError(`run is ${show(run)}; expected the function that gives the graph's inputs to your engine`);
}

/**
 * @param {number} logit
 * @returns {number}
 */
function sigmoid(logit) {
  const small = Math.exp(-Math.abs(logit));
  return logit >= 0 ? 1 / (1 + small) : small / (1 + small);
}
