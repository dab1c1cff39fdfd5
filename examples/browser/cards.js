/** What films look like: a poster of type and colour, a row of a list, a chip of the history. */

/** @typedef {import("./films.js").Film} Film */

/** Hue of a genre, in degrees; posters go from the first genre's to the second's. */
const HUES = {
  "Action": 32, "Adventure": 160, "Animation": 195, "Children's": 180, "Comedy": 348, "Crime": 290, "Documentary": 228,
  "Drama": 262, "Fantasy": 315, "Film-Noir": 276, "Horror": 20, "Musical": 332, "Mystery": 303, "Romance": 8,
  "Sci-Fi": 212, "Thriller": 245, "War": 135, "Western": 55,
};

/**
 * @param {Film} film
 * @param {number} rank from 1
 */
export function poster(film, rank) {
  const button = card("poster", film);
  button.style.setProperty("--longest", String(Math.max(...film.title.split(/[\s-]/).map((word) => word.length))));
  button.append(
    text("span", "initial", initial(film.title), true),
    text("span", "rank", String(rank), true),
    text("span", film.title.length > 26 ? "title long" : "title", film.title),
    text("span", "about", `${film.year}\n${film.genres.slice(0, 2).join(", ")}`.trim()),
  );
  return item(button);
}

/**
 * @param {Film} film
 * @param {boolean} watched
 */
export function row(film, watched) {
  const button = card("row", film);
  const words = document.createElement("span");
  words.append(text("span", "title", film.title), text("span", "about", [film.year, ...film.genres.slice(0, 3)].filter(Boolean).join(" · ")));
  button.append(text("span", "initial", initial(film.title), true), words);
  if (watched) button.append(text("span", "mark", "watched"));
  return item(button);
}

/** @param {Film} film */
export function chip(film) {
  const button = card("chip", film);
  button.setAttribute("aria-label", `Remove ${film.title} from what you watched`);
  button.append(text("span", "title", film.title), text("span", "cross", "×", true));
  return item(button);
}

/**
 * @param {string} look
 * @param {Film} film
 */
function card(look, film) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = look;
  button.dataset.id = film.id;
  const [first, second = first] = film.genres.length ? film.genres : [film.id];
  button.style.setProperty("--hue", String(hue(first)));
  button.style.setProperty("--other", String(second === first ? hue(first) + 30 : hue(second)));
  return button;
}

/** @param {string} genre */
function hue(genre) {
  const known = HUES[/** @type {keyof typeof HUES} */ (genre)];
  return known ?? [...genre].reduce((sum, letter) => (sum * 31 + (letter.codePointAt(0) ?? 0)) % 360, 7);
}

/** @param {string} title */
function initial(title) {
  return [...title.replace(/^(The|A|An) /, "")][0] ?? "";
}

/**
 * @param {string} tag
 * @param {string} look
 * @param {string} content
 */
function text(tag, look, content, hidden = false) {
  const element = document.createElement(tag);
  element.className = look;
  element.textContent = content;
  if (hidden) element.setAttribute("aria-hidden", "true");
  return element;
}

/** @param {HTMLElement} content */
function item(content) {
  const element = document.createElement("li");
  element.append(content);
  return element;
}
