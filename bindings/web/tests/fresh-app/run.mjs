// A fresh Vite React app that installs the packed package: it is built, and shows the list with badge and progress.
//
// In Chromium where RESOURCECACHE_CHROMIUM names one, else in happy-dom. The package is to be built before.

import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const PACKAGE = fileURLToPath(new URL("../../", import.meta.url));
const APP = fileURLToPath(new URL("app", import.meta.url));

/** The strictest that the package can be used under. */
const POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'";

const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".wasm": "application/wasm",
};

// The package's own folder is not above it, so that nothing but what was packed is found.
const folder = mkdtempSync(join(tmpdir(), "resourcecache-fresh-app-"));
try {
  install();
  run("node", ["server.mjs"]);
  run("npx", ["--no-install", "tsc"]);
  run("npx", ["--no-install", "vite", "build", "--logLevel", "warn"]);
  const built = readdirSync(join(folder, "dist/assets")).map((name) => extname(name));
  for (const kind of [".js", ".css", ".wasm"])
    check(built.includes(kind), `there is no ${kind} among ${built}`);
  const chromium = process.env.RESOURCECACHE_CHROMIUM;
  if (chromium) await inChromium(chromium);
  else await inHappyDom();
  console.log(
    `a fresh Vite React app: installed, built, and shown by ${chromium ? "Chromium" : "happy-dom"}`,
  );
} finally {
  rmSync(folder, { recursive: true });
}

function install() {
  const [{ filename }] = JSON.parse(
    execFileSync("npm", ["pack", "--json", "--silent", "--pack-destination", folder], {
      cwd: PACKAGE,
      encoding: "utf8",
    }),
  );
  cpSync(APP, folder, { recursive: true });
  const { packages } = JSON.parse(readFileSync(join(PACKAGE, "package-lock.json"), "utf8"));
  const pick = (...names) =>
    Object.fromEntries(names.map((name) => [name, packages[`node_modules/${name}`].version]));
  const manifest = {
    name: "fresh-app",
    private: true,
    type: "module",
    dependencies: { resourcecache: `file:${filename}`, ...pick("react", "react-dom") },
    devDependencies: pick("vite", "@vitejs/plugin-react", "typescript", "@types/react", "@types/react-dom"),
  };
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest, null, 2));
  run("npm", ["install", "--silent", "--no-audit", "--no-fund", "--prefer-offline"]);
}

function run(program, args) {
  execFileSync(program, args, { cwd: folder, stdio: ["ignore", "inherit", "inherit"] });
}

function check(holds, otherwise) {
  if (!holds) throw new Error(otherwise);
}

/** What the page is to show at first, and when the first row is deleted. */
function checkShown(items, progress) {
  const texts = items.map((text) => text.replace(/\s+/g, " ").trim());
  const expected = [
    "a.example Delete a.example",
    "c.example Verifying... (0%)Verifying... 0%Delete c.example",
  ];
  check(JSON.stringify(texts) === JSON.stringify(expected), `shown: ${JSON.stringify(texts)}`);
  check(progress === "0", `aria-valuenow: ${progress}`);
}

async function inChromium(executablePath) {
  const { chromium } = await import("playwright-core");
  const server = createServer((request, response) => {
    const path = new URL(request.url, "http://localhost").pathname;
    const file = join(folder, "dist", path === "/" ? "index.html" : path);
    const body = tried(() => readFileSync(file));
    const type = TYPES[extname(file)] ?? "application/octet-stream";
    response.writeHead(body === undefined ? 404 : 200, {
      "content-type": type,
      "content-security-policy": POLICY,
    });
    response.end(body);
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  try {
    const page = await browser.newPage();
    const problems = [];
    page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
    page.on("pageerror", (problem) => problems.push(String(problem)));
    // The browser asks for an icon by itself.
    await page.route("**/favicon.ico", (route) => route.fulfill({ status: 204 }));
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    await page.getByRole("status").waitFor();
    const items = await page.locator("li").evaluateAll((all) => all.map((item) => item.textContent));
    checkShown(items, await page.getByRole("progressbar").getAttribute("aria-valuenow"));
    const look = await page.getByRole("status").evaluate((badge) => getComputedStyle(badge).backgroundColor);
    check(look === "rgb(219, 234, 254)", `the stylesheet is not there: ${look}`);
    await page.getByRole("button", { name: "Delete a.example" }).click();
    await page.waitForFunction(() => document.querySelectorAll("li").length === 1);
    check(problems.length === 0, `the console says: ${problems.join("; ")}`);
  } finally {
    await browser.close();
    server.close();
  }
}

async function inHappyDom() {
  const { Window } = await import("happy-dom");
  const window = new Window({ url: "http://localhost/" });
  const { document } = window;
  document.body.innerHTML = '<main id="root"></main>';
  // What React and the app ask for; nothing of Node's own is replaced.
  for (const [name, value] of Object.entries({
    window,
    document,
    HTMLIFrameElement: window.HTMLIFrameElement,
  })) {
    globalThis[name] = value;
  }
  const script = readdirSync(join(folder, "dist/assets")).find((name) => name.endsWith(".js"));
  await import(pathToFileURL(join(folder, "dist/assets", script)).href);
  const items = () => [...document.querySelectorAll("li")];
  await until(() => items().length === 2);
  const bar = document.querySelector('[role="progressbar"]');
  checkShown(
    items().map((item) => item.textContent),
    bar?.getAttribute("aria-valuenow"),
  );
  document.querySelector("button").click();
  await until(() => items().length === 1);
  await window.happyDOM.close();
}

async function until(holds) {
  for (const end = Date.now() + 30_000; !holds();) {
    check(Date.now() < end, `after 30 s: ${document.body.innerHTML}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function tried(read) {
  try {
    return read();
  } catch {
    return undefined;
  }
}
