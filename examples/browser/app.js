/** The page: bundles are opened, films are clicked, recommendations are shown. */

import { chip, poster, row } from "./cards.js";
import { readFilms, search } from "./films.js";
import { openLibrary, servedFiles } from "./library.js";
import { keepEngine, keepHistory, readEngine, readHistory } from "./memory.js";
import { Recommender } from "./recommender.js";
import { showEngines, showFacts } from "./facts.js";

/** @typedef {import("edgerec").Bundle} Bundle */
/** @typedef {import("./films.js").Film} Film */
/** @typedef {import("./recommender.js").Target} Target */

const TOP = 10;
const PAGE = 30; // rows that the list grows by

/** @type {{ library: Map<Target, Bundle>, films: Film[], byId: Map<string, Film>, history: string[], liked: string | null,
 *   target: Target, recommender: Recommender | null, listed: number }} */
const state = {
  library: new Map(),
  films: [],
  byId: new Map(),
  history: [],
  liked: null,
  target: "onnx",
  recommender: null,
  listed: PAGE,
};

/** @type {Promise<unknown>} an engine takes one request at a time, and answers are shown in the order of the clicks */
let turn = Promise.resolve();

/** @param {() => unknown} work what a click asks for */
function inTurn(work) {
  find("answers").setAttribute("aria-busy", "true");
  const own = turn.then(work).then(hideProblem, showProblem);
  turn = own;
  own.then(() => find("answers").setAttribute("aria-busy", String(turn !== own)));
}

/** @param {() => Promise<{ name: string, bytes: Blob | Uint8Array }[]>} files */
async function openBundles(files) {
  const library = await openLibrary(await files());
  const chosen = readEngine();
  const entries = [...library];
  const [target, bundle] = entries.find((entry) => entry[0] === chosen) ?? entries[0];
  const recommender = await Recommender.open(bundle, target);
  state.recommender?.close();
  const films = readFilms(bundle);
  Object.assign(state, { library, films, target, recommender, listed: PAGE });
  state.byId = new Map(films.map((film) => [film.id, film]));
  state.history = readHistory().filter((id) => state.byId.has(id));
  state.liked = state.history.at(-1) ?? null;
  /** @type {HTMLInputElement} */ (find("query")).disabled = false;
  showList();
  await showAnswers();
  document.body.classList.add("ready");
}

/**
 * Say that bundles or an engine take a moment to open.
 * @param {() => Promise<unknown>} work
 */
async function opening(work) {
  document.body.classList.add("opening");
  await work().finally(() => document.body.classList.remove("opening"));
}

/** @param {Target} target */
async function choose(target) {
  const bundle = state.library.get(target);
  if (target === state.target || !bundle) return;
  const recommender = await Recommender.open(bundle, target);
  state.recommender?.close();
  Object.assign(state, { target, recommender });
  keepEngine(target);
  await showAnswers();
}

/** @param {string} id of the film that was clicked */
async function watch(id) {
  state.history = [...state.history.filter((one) => one !== id), id];
  state.liked = id;
  clearQuery();
  await remembered();
  say(`${state.byId.get(id)?.title} added. ${find("picks").children.length} recommendations.`);
}

/** @param {string} id */
async function forget(id) {
  state.history = state.history.filter((one) => one !== id);
  if (state.liked === id) state.liked = state.history.at(-1) ?? null;
  await remembered();
}

async function startAgain() {
  state.history = [];
  state.liked = null;
  await remembered();
  find("query").focus({ preventScroll: true });
}

async function remembered() {
  keepHistory(state.history);
  showList();
  await showAnswers();
}

async function showAnswers() {
  const { recommender, history, liked, byId } = state;
  const bundle = state.library.get(state.target);
  if (!recommender || !bundle) return;
  const picks = await recommender.recommend(history, TOP);
  const similar = liked === null ? [] : await recommender.recommend([liked], TOP);
  fill("picks", films(picks).map((film, place) => poster(film, place + 1)));
  fill("similar", films(similar).map((film, place) => poster(film, place + 1)));
  fill("history", films([...history].reverse()).map(chip));
  find("watched").hidden = !history.length;
  find("similar-section").hidden = liked === null;
  find("similar-heading").textContent = `Like ${byId.get(liked ?? "")?.title}`;
  find("picks-note").textContent = history.length
    ? `From ${counted(history.length)} that you watched.`
    : "What most people watch. Click what you have seen.";
  showEngines(find("engines"), state.library, state.target);
  showFacts(find("facts"), find("speed"), recommender, bundle);
}

function showList() {
  const query = /** @type {HTMLInputElement} */ (find("query")).value.trim();
  const found = search(state.films, query);
  const watched = new Set(state.history);
  document.body.classList.toggle("searching", query !== "");
  fill("films", found.slice(0, state.listed).map((film) => row(film, watched.has(film.id))));
  find("browse-heading").textContent = query ? "Found" : "Most watched";
  find("browse-note").textContent = found.length ? counted(found.length) : `No film has “${query}” in its title or genres.`;
  find("more").hidden = found.length <= state.listed;
}

function clearQuery() {
  /** @type {HTMLInputElement} */ (find("query")).value = "";
  state.listed = PAGE;
}

/** @param {number} number */
function counted(number) {
  return `${number.toLocaleString("en")} ${number === 1 ? "film" : "films"}`;
}

/** @param {string[]} ids */
function films(ids) {
  return ids.flatMap((id) => state.byId.get(id) ?? []);
}

/**
 * Put new children into a list, and keep the keyboard's place where the focused film is gone.
 * @param {string} id
 * @param {HTMLElement[]} children
 */
function fill(id, children) {
  const list = find(id);
  const focused = list.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement) : null;
  list.replaceChildren(...children);
  list.scrollLeft = 0;
  if (!focused) return;
  const again = children.find((child) => /** @type {HTMLElement} */ (child.firstElementChild).dataset.id === focused.dataset.id);
  /** @type {HTMLElement} */ (again?.firstElementChild ?? find("picks-heading")).focus({ preventScroll: true });
}

/** @param {string} sentence for those who hear the page */
function say(sentence) {
  find("said").textContent = sentence;
}

/** @param {unknown} error */
function showProblem(error) {
  const problem = find("problem");
  problem.textContent = error instanceof Error ? error.message : String(error);
  problem.hidden = false;
  if (state.recommender) showEngines(find("engines"), state.library, state.target); // as they were
}

function hideProblem() {
  find("problem").hidden = true;
}

/**
 * @param {string} id
 * @returns {HTMLElement}
 */
function find(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

for (const [id, action] of Object.entries({ picks: watch, similar: watch, films: watch, history: forget })) {
  find(id).addEventListener("click", (event) => {
    const film = /** @type {Element} */ (event.target).closest("button")?.dataset.id;
    if (film !== undefined) inTurn(() => action(film));
  });
}
find("engines").addEventListener("change", (event) => {
  const target = /** @type {Target} */ (/** @type {HTMLInputElement} */ (event.target).value);
  inTurn(() => opening(() => choose(target)));
});
find("forget").addEventListener("click", () => inTurn(startAgain));
find("query").addEventListener("input", () => {
  state.listed = PAGE;
  showList();
});
find("more").addEventListener("click", () => {
  state.listed += PAGE;
  showList();
});
find("bundles").addEventListener("change", (event) => {
  const { files } = /** @type {HTMLInputElement} */ (event.target);
  const chosen = [...(files ?? [])].map((file) => ({ name: file.name, bytes: file }));
  if (chosen.length) inTurn(() => opening(() => openBundles(async () => chosen)));
});
inTurn(() => opening(() => openBundles(servedFiles)));
