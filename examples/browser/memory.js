/** What the page remembers: the history and the chosen engine. They lie in this browser's storage and go nowhere else. */

const HISTORY = "edge-rec.history";
const ENGINE = "edge-rec.engine";

/** @returns {string[]} ids, oldest first */
export function readHistory() {
  try {
    const kept = JSON.parse(read(HISTORY) ?? "[]");
    return Array.isArray(kept) ? kept.filter((id) => typeof id === "string") : [];
  } catch {
    return [];
  }
}

/** @param {string[]} ids */
export function keepHistory(ids) {
  write(HISTORY, JSON.stringify(ids));
}

export function readEngine() {
  return read(ENGINE);
}

/** @param {string} target */
export function keepEngine(target) {
  write(ENGINE, target);
}

/** @param {string} key */
function read(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // storage is refused, as in some private windows: nothing is remembered
  }
}

/**
 * @param {string} key
 * @param {string} value
 */
function write(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // as above, or full: the page works on without a memory
  }
}
