/** The catalogue as people look at it: titles put right, years, genres, and a search over all of it. */

/**
 * @typedef {object} Film
 * @property {string} id
 * @property {string} title
 * @property {string} year
 * @property {string[]} genres the rarest first, which tells most
 * @property {string} words what a search looks through
 */

const ARTICLE = /^(.+), (The|A|An|La|Le|Les|L'|Il|Das|Der|Die|El)$/; // as catalogues sort: "Sting, The"

/**
 * Read the films of a bundle, the most watched first.
 * @param {any} bundle
 * @returns {Film[]}
 */
export function readFilms(bundle) {
  const { ids, titles, attributes, popularity } = bundle;
  const counts = new Map();
  for (const genre of (attributes?.genres ?? []).flat()) counts.set(genre, (counts.get(genre) ?? 0) + 1);
  const films = [...ids].map((id, row) => {
    const named = titles?.[row] ?? id;
    const [, title, year] = /^(.*?)\s*\((\d{4})\)$/.exec(named) ?? [null, named, attributes?.year?.[row]?.[0] ?? ""];
    const genres = [...(attributes?.genres?.[row] ?? [])].filter((genre) => genre !== "unknown");
    genres.sort((one, other) => counts.get(one) - counts.get(other));
    return { id, title: inFront(title), year, genres, words: plain([named, inFront(title), ...genres].join(" ")) };
  });
  if (!popularity) return films;
  const rows = films.map((_, row) => row).sort((a, b) => popularity[b] - popularity[a] || a - b);
  return rows.map((row) => films[row]);
}

/**
 * Find the films that have a word for each one asked, those whose title begins with the query first.
 * @param {Film[]} films
 * @param {string} query
 */
export function search(films, query) {
  const asked = plain(query).split(" ").filter(Boolean);
  const found = films.filter((film) => asked.every((word) => ` ${film.words}`.includes(` ${word}`)));
  const begins = (/** @type {Film} */ film) => Number(plain(film.title).startsWith(asked.join(" ")));
  return asked.length ? found.sort((a, b) => begins(b) - begins(a)) : found;
}

/** @param {string} title */
function inFront(title) {
  const [, rest, article] = ARTICLE.exec(title.replace(/\s*\([^)]*\)$/, "")) ?? [];
  return rest ? `${article}${article.endsWith("'") ? "" : " "}${rest}` : title;
}

/**
 * Letters and digits without accents and case, a space between words.
 * @param {string} text
 */
function plain(text) {
  return text.normalize("NFKD").replace(/[\u0300-\u036f']/g, "").toLowerCase().replace(/[^\p{L}\p{N}]+/gu, " ").trim();
}
