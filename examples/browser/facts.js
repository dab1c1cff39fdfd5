/** Which engine answers, how fast, and how large the model is. */

import { ENGINES } from "./recommender.js";
import { duration } from "./times.js";

/** @typedef {import("edgerec").Bundle} Bundle */
/** @typedef {import("./recommender.js").Recommender} Recommender */
/** @typedef {import("./recommender.js").Target} Target */

/**
 * Show the engines as a choice; one that no bundle has a graph for cannot be chosen.
 * @param {HTMLElement} group
 * @param {Map<Target, Bundle>} library
 * @param {Target} chosen
 */
export function showEngines(group, library, chosen) {
  for (const [target, { name }] of Object.entries(ENGINES)) {
    const input = choice(group, target, name);
    const there = library.has(/** @type {Target} */ (target));
    input.disabled = !there;
    input.checked = target === chosen;
    /** @type {HTMLElement} */ (input.parentElement).title = there ? "" : `No bundle with a graph for ${name} is open.`;
  }
}

/**
 * @param {HTMLElement} list
 * @param {HTMLElement} speed the one figure that stands beside the engines
 * @param {Recommender} recommender
 * @param {Bundle} bundle
 */
export function showFacts(list, speed, { loading, times }, bundle) {
  const { model_bytes: bytes, name } = /** @type {{ model_bytes: number, name: string }} */ (bundle.manifest);
  const median = duration(times.median ?? 0);
  const facts = [
    ["An answer", median, `median of the last ${times.count}`],
    ["To load", duration(loading), "engine and model, until the first answer"],
    ["The model", `${Math.round(bytes / 1000).toLocaleString("en")} kB`, `${name}, ${precision(bundle)}, ${bundle.ids.length.toLocaleString("en")} films`],
  ];
  speed.textContent = `${median} an answer`;
  list.replaceChildren(
    ...facts.map(([name, value, note]) => {
      const fact = document.createElement("div");
      fact.append(element("dt", name), element("dd", value), element("dd", note));
      return fact;
    }),
  );
}

/** @param {Bundle} bundle */
function precision(bundle) {
  const { items, network, rescore } = /** @type {Record<string, string>} */ (bundle.manifest.precision);
  const whole = network.startsWith(items) ? items : `${items} items, ${network} network`;
  return rescore === "none" ? whole : `${whole}, rescored in ${rescore}`;
}

/**
 * @param {HTMLElement} group
 * @param {string} target
 * @param {string} name
 * @returns {HTMLInputElement}
 */
function choice(group, target, name) {
  const there = group.querySelector(`input[value="${target}"]`);
  if (there) return /** @type {HTMLInputElement} */ (there);
  const label = document.createElement("label");
  const input = Object.assign(document.createElement("input"), { type: "radio", name: "engine", value: target });
  label.append(input, element("span", name));
  group.append(label);
  return input;
}

/**
 * @param {string} tag
 * @param {string} content
 */
function element(tag, content) {
  return Object.assign(document.createElement(tag), { textContent: content });
}
