/** JSON from outside, read as Python reads a manifest: no key twice, every number finite, nothing nested beyond reason. */

const DEEPEST = 200;

/**
 * @param {string} text
 * @returns {unknown}
 * @throws {Error} it is no such JSON; the message says why
 */
export function parseStrictly(text) {
  const value = JSON.parse(text);
  /** @type {(Set<string> | null)[]} the keys of the objects around; null for a list */
  const around = [];
  let last = "";
  for (const token of tokens(text)) {
    if (token === "{") around.push(new Set());
    else if (token === "[") around.push(null);
    else if (token === "}" || token === "]") around.pop();
    else if (token === ":") addKey(around[around.length - 1], JSON.parse(last));
    else if (/^[-\d]/.test(token) && !Number.isFinite(Number(token))) throw new Error(`${token.slice(0, 20)} is not finite`);
    if (around.length > DEEPEST) throw new Error(`it is nested deeper than ${DEEPEST}`);
    last = token;
  }
  return value;
}

/**
 * @param {Set<string> | null} keys
 * @param {string} key
 */
function addKey(keys, key) {
  if (keys?.has(key)) throw new Error("a key stands twice");
  keys?.add(key);
}

/**
 * Cut valid JSON into brackets, colons, texts and what is neither; spaces and commas are passed over.
 * @param {string} text
 * @returns {Generator<string>}
 */
function* tokens(text) {
  for (let place = 0; place < text.length; ) {
    const start = place;
    const sign = text[place++];
    if (" \t\r\n,".includes(sign)) continue;
    if (sign === '"') {
      while (text[place] !== '"') place += text[place] === "\\" ? 2 : 1;
      place++;
    } else if (!"{}[]:".includes(sign)) {
      while (place < text.length && !" \t\r\n,{}[]:".includes(text[place])) place++;
    }
    yield text.slice(start, place);
  }
}
