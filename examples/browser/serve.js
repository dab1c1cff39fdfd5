/**
 * Serve the example on this machine, to this machine alone: node examples/browser/serve.js [BUNDLE...] [--port 8000]
 *
 * It puts four folders together: the page, clients/js as edgerec/, the installed libraries as node_modules/, and the bundles. The
 * headers give the page a fine clock (COOP and COEP) and keep it from asking any other server (CSP stands in index.html).
 */

import { createReadStream } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { createServer } from "node:http";
import { basename, dirname, extname, join, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { openBundle } from "../../clients/js/edgerec.js";

const PAGE = dirname(fileURLToPath(import.meta.url));
const CHECKOUT = resolve(PAGE, "../..");
const TYPES = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".mjs": "text/javascript; charset=utf-8",
  ".wasm": "application/wasm",
};
const HEADERS = {
  "Cache-Control": "no-cache",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "X-Content-Type-Options": "nosniff",
};

const { values, positionals } = asked();
const bundles = new Map((positionals.length ? positionals : await ofTheDemo()).map((path) => [basename(path), resolve(path)]));
const folders = { "/edgerec/": join(CHECKOUT, "clients/js"), "/node_modules/": resolve(values.modules), "/": PAGE };

await needed(join(folders["/node_modules/"], "onnxruntime-web"), "install the engines: npm ci --ignore-scripts --prefix tests/clients");
if (!bundles.size) refuse("demo/ has no bundle with a retriever graph; run make demo, or name a bundle");
for (const path of bundles.values()) await needed(path, "name a bundle that is there");

/** Read the words of the command line; one that means nothing is refused. */
function asked() {
  const options = /** @type {const} */ ({
    port: { type: "string", default: "8000" },
    modules: { type: "string", default: join(CHECKOUT, "tests/clients/node_modules") },
  });
  try {
    return parseArgs({ allowPositionals: true, options });
  } catch (error) {
    return refuse(`${/** @type {Error} */ (error).message.split(". ")[0]}; use serve.js [BUNDLE...] [--port 8000] [--modules FOLDER]`);
  }
}

/**
 * @param {string} path
 * @param {string} advice
 */
async function needed(path, advice) {
  await stat(path).catch(() => refuse(`${path} is not there; ${advice}`));
}

/**
 * @param {string} sentence
 * @returns {never}
 */
function refuse(sentence) {
  console.error(sentence);
  process.exit(1);
}

/** @returns {Promise<string[]>} the bundles with a retriever graph that `make demo` left */
async function ofTheDemo() {
  const folder = join(CHECKOUT, "demo");
  const names = await readdir(folder).catch(() => []);
  const found = [];
  for (const name of names.filter((one) => one.endsWith(".edgerec")).sort()) {
    const bundle = await openBundle(await readFile(join(folder, name))).catch(() => undefined);
    if (bundle?.manifest.retriever) found.push(join(folder, name));
  }
  return found;
}

/**
 * @param {string} path of a request
 * @returns {string | undefined} the file for it, inside one of the folders
 */
function fileOf(path) {
  if (path.startsWith("/bundles/")) return bundles.get(path.slice("/bundles/".length));
  const [prefix, folder] = Object.entries(folders).find(([start]) => path.startsWith(start)) ?? ["/", PAGE];
  const file = resolve(folder, path === "/" ? "index.html" : path.slice(prefix.length));
  return file.startsWith(folder + sep) ? file : undefined;
}

/**
 * @param {import("node:http").IncomingMessage} request
 * @param {import("node:http").ServerResponse} response
 */
async function answer(request, response) {
  const path = decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname);
  if (path === "/bundles.json") {
    const paths = [...bundles.keys()].map((name) => `bundles/${encodeURIComponent(name)}`);
    response.writeHead(200, { ...HEADERS, "Content-Type": TYPES[".json"] }).end(JSON.stringify(paths));
    return;
  }
  const file = fileOf(path);
  const found = file ? await stat(file).catch(() => undefined) : undefined;
  if (!file || !found?.isFile()) {
    response.writeHead(404, HEADERS).end();
    return;
  }
  const type = TYPES[/** @type {keyof typeof TYPES} */ (extname(file))] ?? "application/octet-stream";
  response.writeHead(200, { ...HEADERS, "Content-Type": type, "Content-Length": found.size });
  createReadStream(file).on("error", () => response.destroy()).pipe(response);
}

const server = createServer((request, response) => {
  answer(request, response).catch(() => response.writeHead(400, HEADERS).end());
});
if (!/^\d{1,5}$/.test(values.port) || Number(values.port) > 65535) refuse(`--port is ${values.port}; give a number from 0 to 65535`);
server.on("error", (error) => refuse(`port ${values.port} cannot be used (${error.message}); name another with --port`));
server.listen(Number(values.port), "127.0.0.1", () => {
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  console.log(`http://127.0.0.1:${port}/`);
});
