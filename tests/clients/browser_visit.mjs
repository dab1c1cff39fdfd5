/**
 * Visit pages in Chromium as a person would, and tell what they show: node browser_visit.mjs MODULES CHROMIUM
 *
 * A line of the input is a visit, in a browser that remembers nothing: `url`, `viewport` [width, height] and `steps`, each a list:
 *   ["watch", id]          click a film in the list
 *   ["click", selector]    click anything
 *   ["press", key, ...]    press keys, one after the other
 *   ["type", text]         put text into the search
 *   ["files", path, ...]   open bundles from the disk
 *   ["offline"]            cut the network
 *   ["reload"]
 *   ["screen", scheme, width, height]   light or dark
 *   ["evaluate", script]   what a script gives
 *   ["picture", path]      a PNG of what is seen
 * After each the page is waited for. A line of the output is what was seen: `steps`, what is shown when the page is there and after
 * each step (`picks`, `similar`, `history`, `listed`: ids in order; `problem`; `focus`; `value` of a script); `errors` of the console
 * and the page; `requests`, each with its `url` and `step`, the number of the step that asked, 0 before the first.
 */

import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";

const [modules, executablePath] = process.argv.slice(2);
const { chromium } = createRequire(join(modules, "visit.cjs"))("playwright-core");

const actions = {
  watch: async (page, id) => {
    const film = page.locator(`#films [data-id="${id}"]`);
    while (!(await film.count())) await page.locator("#more").click();
    await film.click();
  },
  click: (page, selector) => page.locator(selector).click(),
  press: async (page, ...keys) => {
    for (const key of keys) await page.keyboard.press(key);
  },
  type: (page, text) => page.locator("#query").fill(text),
  files: (page, ...paths) => page.locator("#bundles").setInputFiles(paths),
  offline: (page) => page.context().setOffline(true),
  reload: (page) => page.reload(),
  screen: async (page, colorScheme, width, height) => {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width: Number(width), height: Number(height) });
  },
  evaluate: (page, script) => page.evaluate(script),
  picture: async (page, path) => {
    await page.screenshot({ path, animations: "disabled" });
  },
};

/** Run in the page. */
function shown() {
  const ids = (id) => [...document.querySelectorAll(`#${id} [data-id]`)].map((film) => film.dataset.id);
  const problem = document.getElementById("problem");
  return {
    picks: ids("picks"),
    similar: ids("similar"),
    history: ids("history").reverse(),
    listed: ids("films"),
    problem: problem.hidden ? null : problem.textContent,
    focus: document.activeElement?.dataset?.id ?? document.activeElement?.id ?? null,
  };
}

/** @param {import("playwright-core").Browser} browser */
async function visited(browser, { url, viewport: [width, height], steps }) {
  const context = await browser.newContext({ viewport: { width, height } });
  try {
    const page = await context.newPage();
    const seen = { steps: [], errors: [], requests: [] };
    page.on("console", (message) => message.type() === "error" && seen.errors.push(message.text()));
    page.on("pageerror", (error) => seen.errors.push(String(error)));
    page.on("request", (request) => seen.requests.push({ url: request.url(), step: seen.steps.length }));
    for (const [action, ...given] of [["open"], ...steps]) {
      const value = action === "open" ? await page.goto(url) : await actions[action](page, ...given);
      await page.waitForSelector('#answers[aria-busy="false"]', { state: "attached", timeout: 60_000 });
      seen.steps.push({ ...(await page.evaluate(shown)), ...(action === "evaluate" ? { value } : {}) });
    }
    return seen;
  } finally {
    await context.close();
  }
}

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
try {
  for await (const line of createInterface({ input: process.stdin })) {
    const seen = await visited(browser, JSON.parse(line)).catch((error) => ({ failed: String(error) }));
    console.log(JSON.stringify(seen));
  }
} finally {
  await browser.close();
}
