// Bundles `measure.ts`, runs it in Node, and in Chromium where RESOURCECACHE_CHROMIUM names one; prints the times as
// JSON. Run by `cargo xtask bench --web`.

import { readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const file = (path) => fileURLToPath(new URL(path, import.meta.url));
const folder = file("../../../target/web/bench");
const wasm = await readFile(file("../generated/resourcecache_bg.wasm"));

await build({
  configFile: false,
  logLevel: "error",
  root: file("."),
  // Whose libraries ask for it; a browser has no `process`.
  define: { "process.env.NODE_ENV": '"production"' },
  build: {
    target: "esnext",
    outDir: folder,
    emptyOutDir: true,
    lib: { entry: file("measure.ts"), formats: ["es"], fileName: "measure" },
  },
});
const runs = [{ name: `Node.js ${process.versions.node}`, times: await inNode() }];
const chromium = process.env.RESOURCECACHE_CHROMIUM;
if (chromium) runs.push(await inBrowser(chromium));
await rm(folder, { recursive: true });
console.log(JSON.stringify(runs));

async function inNode() {
  const { measure } = await import(`${folder}/measure.js`);
  return measure(wasm);
}

async function inBrowser(executablePath) {
  const { chromium } = await import("playwright-core");
  const script = await readFile(`${folder}/measure.js`);
  const files = {
    "/": ["text/html", "<!doctype html><title>bench</title>"],
    "/measure.js": ["text/javascript", script],
    "/resourcecache_bg.wasm": ["application/wasm", wasm],
  };
  const server = createServer((request, response) => {
    const [type, body] = files[request.url] ?? [];
    response.writeHead(type === undefined ? 404 : 200, { "content-type": type ?? "text/plain" }).end(body);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
  try {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    const times = await page.evaluate(async () => {
      const { measure } = await import("/measure.js");
      const answer = await fetch("/resourcecache_bg.wasm");
      return measure(await answer.arrayBuffer());
    });
    return { name: `Chromium ${browser.version()}`, times };
  } finally {
    await browser.close();
    server.close();
  }
}
