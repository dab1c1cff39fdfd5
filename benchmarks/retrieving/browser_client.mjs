// A web page in Chromium: the engines of examples/browser and the graph. Prints JSON; see python_client.py for the arguments.
//
//   node benchmarks/retrieving/browser_client.mjs litert time GRAPH REFERENCE ASKED SECONDS
//   node benchmarks/retrieving/browser_client.mjs litert cold GRAPH ASKED
//
// Memory is that of the page's process. Packages are looked for in the folder that EDGE_REC_NODE_MODULES names, and Chromium is
// what EDGE_REC_CHROMIUM names, or /usr/bin/chromium.

import { createReadStream, readdirSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { dirname, extname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
const MODULES = process.env.EDGE_REC_NODE_MODULES ?? "node_modules";
const TYPES = { ".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm", ".html": "text/html" };
const HEADERS = { "Cross-Origin-Embedder-Policy": "require-corp", "Cross-Origin-Opener-Policy": "same-origin" };
const LIBRARIES = ["@litertjs/core", "@litertjs/wasm-utils"];
const IMPORTS = Object.fromEntries(LIBRARIES.map((name) => [name, `/node_modules/${name}/dist/index.js`]));
const PAGE = `<!doctype html><title>graphs</title><script type="importmap">${JSON.stringify({ imports: IMPORTS })}</script>`;
const FOLDERS = { "/engines/": resolve(HERE, "../../examples/browser/engines"), "/node_modules/": resolve(MODULES), "/": HERE };

const [engine, what, ...paths] = process.argv.slice(2);
const graph = paths[0];
const reference = what === "time" ? paths[1] : graph;
const asked = what === "time" ? paths[2] : paths[1];
const files = { "/graph": graph, "/reference": reference };

const server = createServer(answer);
await new Promise((done) => server.listen(0, "127.0.0.1", done));
const address = `http://127.0.0.1:${server.address().port}/page.html`;
const { chromium } = createRequire(join(resolve(MODULES), "x.cjs"))("playwright-core");
const browser = await chromium.launchServer({
  executablePath: process.env.EDGE_REC_CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-dev-shm-usage"],
});
try {
  const page = await (await chromium.connect(browser.wsEndpoint())).newPage();
  await page.goto(address);
  const { histories } = JSON.parse(readFileSync(asked, "utf8"));
  await page.evaluate(started, engine);
  if (what === "time") {
    console.log(JSON.stringify(await page.evaluate(compared, { same: graph === reference, histories, seconds: Number(paths[3]) })));
  } else {
    const engine_rss_mb = peak(browser.process().pid);
    const load_ms = await page.evaluate(first, histories[0]);
    console.log(JSON.stringify({ load_ms, peak_rss_mb: peak(browser.process().pid), engine_rss_mb }));
  }
} finally {
  await browser.close();
  server.close();
}

/** Run in the page: start the engine. */
async function started(name) {
  globalThis.engine = await (await import(`/engines/${name}.js`)).start();
  globalThis.opened = async (path, other) => {
    const bytes = new Uint8Array(await (await fetch(path)).arrayBuffer());
    const opened = await (other ?? globalThis.engine).open(bytes);
    return async (history) => {
      const data = Int32Array.from(history);
      return Array.from((await opened.run({ history: { type: "int32", data, dims: [1, data.length] } })).items);
    };
  };
}

/** Run in the page: let the graph and ONNX Runtime's fp32 graph take turns. */
async function compared({ same, histories, seconds }) {
  const { timed } = await import("/rounds.mjs");
  const answers = { "/graph": await globalThis.opened("/graph") };
  if (!same) {
    const other = await (await import("/engines/onnxruntime.js")).start();
    answers["/reference"] = await globalThis.opened("/reference", other);
  }
  return timed(answers, { graph: "/graph", reference: same ? "/graph" : "/reference", histories, seconds });
}

/** Run in the page: from asking for the file to the first answer. */
async function first(history) {
  const start = performance.now();
  await (await globalThis.opened("/graph"))(history);
  return performance.now() - start;
}

function answer(request, response) {
  const path = new URL(request.url, "http://localhost").pathname;
  const [prefix, folder] = Object.entries(FOLDERS).find(([start]) => path.startsWith(start));
  const file = files[path] ?? join(folder, path.slice(prefix.length));
  const headers = { ...HEADERS, "Content-Type": TYPES[extname(path)] ?? "application/octet-stream" };
  if (path === "/page.html") response.writeHead(200, headers).end(PAGE);
  else if (statSync(file, { throwIfNoEntry: false })?.isFile()) createReadStream(file).pipe(response.writeHead(200, headers));
  else response.writeHead(404, headers).end();
}

/** The most memory that a page's process under a browser has had, in MB. */
function peak(browserPid) {
  const parents = new Map();
  const renderers = [];
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number)) {
    const status = read(`/proc/${pid}/status`);
    parents.set(pid, Number(/PPid:\s+(\d+)/.exec(status)?.[1]));
    if (read(`/proc/${pid}/cmdline`).includes("--type=renderer")) renderers.push([pid, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1])]);
  }
  const under = (pid) => pid === browserPid || (pid > 1 && under(parents.get(pid) ?? 0));
  return (Math.max(...renderers.filter(([pid]) => under(pid)).map(([, kilobytes]) => kilobytes)) * 1024) / 1e6;
}

function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // the process has ended meanwhile
  }
}
