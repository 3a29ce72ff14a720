/**
 * Two tabs of a real browser, over its IndexedDB, Web Locks and channels, by what is built. It runs where
 * RESOURCECACHE_CHROMIUM names a Chromium.
 */

import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { ResourceCache } from "../../src/index.js";
import type { Persistent } from "../../src/persistence/index.js";
import type { Shared } from "../../src/tabs/index.js";

const PROGRAM = process.env["RESOURCECACHE_CHROMIUM"];
const PACKAGE = fileURLToPath(new URL("../../", import.meta.url));
const TYPES: Record<string, string> = { js: "text/javascript", wasm: "application/wasm" };

interface Zone {
  readonly id: string;
  readonly n?: number;
}

interface Library {
  readonly core: typeof import("../../src/index.js");
  readonly persistence: typeof import("../../src/persistence/index.js");
  readonly tabs: typeof import("../../src/tabs/index.js");
  readonly watching: typeof import("../../src/watching/index.js");
}

/** A page that imports all of it. */
const PAGE = `<!doctype html><title>tab</title><link rel="icon" href="data:,"><script type="module">
import * as core from "/dist/index.js";
import * as persistence from "/dist/persistence/index.js";
import * as tabs from "/dist/tabs/index.js";
import * as watching from "/dist/watching/index.js";
globalThis.library = { core, persistence, tabs, watching };
</script>`;

/** What the pages keep between calls. */
declare global {
  var library: Library;
  var shared: Shared<Zone>;
  var kept: Persistent<Zone>;
  var told: string[];
}

describe.runIf(PROGRAM !== undefined)("in Chromium", () => {
  let server: Server;
  let url: string;
  let browser: Browser;
  let context: BrowserContext;
  let sent: { readonly key: string; readonly body: string }[];
  let problems: string[];

  beforeAll(async () => {
    server = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? "", "http://server");
      if (pathname === "/") response.setHeader("content-type", "text/html").end(PAGE);
      else if (pathname === "/list") response.end("[]");
      else if (pathname === "/events") {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write('event: added\ndata: {"id":"live"}\n\n');
      } else if (pathname === "/send") {
        request.setEncoding("utf8").on("data", (body: string) => {
          sent.push({ key: String(request.headers["idempotency-key"]), body });
          response.writeHead(204).end();
        });
      } else {
        readFile(PACKAGE + pathname).then(
          (bytes) =>
            response.setHeader("content-type", TYPES[pathname.split(".").at(-1) ?? ""] ?? "").end(bytes),
          () => response.writeHead(404).end(),
        );
      }
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    browser = await chromium.launch({ executablePath: PROGRAM ?? "", args: ["--no-sandbox"] });
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    server?.closeAllConnections();
    server?.close();
  });

  beforeEach(async () => {
    [sent, problems] = [[], []];
    context = await browser.newContext();
  });
  afterEach(async () => {
    expect(problems).toEqual([]);
    await context.close();
  });

  async function tab(): Promise<Page> {
    const page = await context.newPage();
    page.on("pageerror", (problem) => problems.push(problem.message));
    await page.goto(url);
    await page.waitForFunction(() => "library" in globalThis);
    return page;
  }

  /** A tab that shares the cache, and sends when it is its turn. */
  async function sharing(name: string): Promise<Page> {
    const page = await tab();
    await page.evaluate(async (name) => {
      const { openShared } = library.tabs;
      globalThis.told = [];
      globalThis.shared = await openShared<Zone>("zones", { onError: ({ message }) => told.push(message) });
      void shared.send(({ key, id }) => {
        return fetch("/send", { method: "POST", headers: { "Idempotency-Key": key }, body: `${name} ${id}` });
      });
    }, name);
    return page;
  }

  it("two tabs go through the same states, and one sends until it is closed", async () => {
    const [one, two] = [await sharing("one"), await sharing("two")];
    await one.evaluate(
      async () => void (await shared.update((cache) => cache.merge([{ id: "a" }, { id: "b" }]))),
    );
    await two.waitForFunction(() => shared.cache.getSnapshot().length === 2);
    await two.evaluate(async () => void (await shared.update((cache) => cache.queue({ delete: "a" }))));
    await two.waitForFunction(() => shared.cache.state("a") === "deleted");
    const fill = (name: string) =>
      (name === "one" ? one : two).evaluate(async (name) => {
        const create = (id: string) => shared.update((cache) => cache.addAsCreating({ id }));
        await Promise.all(Array.from({ length: 40 }, (_, n) => create(`${name}-${n}`)));
        // More than a whole state is stored for.
        for (let n = 40; n < 110; n += 1) await create(`${name}-${n}`);
      }, name);
    await Promise.all([fill("one"), fill("two")]);
    const state = (page: Page) => page.evaluate(() => shared.sync().then(() => shared.cache.save()));
    expect(await state(one)).toBe(await state(two));
    expect(await two.evaluate(() => shared.cache.getSnapshot().length)).toBe(1 + 2 * 110);
    expect(sent.map(({ body }) => body)).toEqual(["one a"]);
    await one.close();
    await two.evaluate(async () => void (await shared.update((cache) => cache.queue({ delete: "b" }))));
    await two.waitForFunction(() => shared.cache.state("b") === "deleted");
    expect(sent.map(({ body }) => body)).toEqual(["one a", "two b"]);
    expect(await two.evaluate(() => told)).toEqual([]);
  }, 60_000);

  it("a page that is left in the middle of a save has its last words taken by the next one", async () => {
    const page = await tab();
    const open = () =>
      page.evaluate(async () => {
        const { openPersistent } = library.persistence;
        globalThis.told = [];
        globalThis.kept = await openPersistent<Zone>("zones", {
          onError: ({ message }) => told.push(message),
        });
        return kept.cache.getOne("a")?.value.n;
      });
    await open();
    await page.evaluate(async () => void (await kept.update((cache) => cache.merge([{ id: "a" }]))));
    for (let n = 0; n < 5; n += 1) {
      const left = page.waitForEvent("load");
      await page.evaluate((n) => {
        kept.cache.markAsUpdating("a", { n });
        setTimeout(() => location.reload());
      }, n);
      await left;
      await page.waitForFunction(() => "library" in globalThis);
      expect(await open()).toBe(n);
      expect(await page.evaluate(() => told)).toEqual([]);
    }
  }, 60_000);

  it.each(["eventSource", "eventStream"] as const)("a server is watched by %s", async (by) => {
    const page = await tab();
    const shown = await page.evaluate(async (by) => {
      const { watch, ...streams } = library.watching;
      const cache: ResourceCache<Zone> = await library.core.ResourceCache.create<Zone>();
      const watching = watch(cache, {
        list: ({ signal }) => fetch("/list", { signal }),
        stream: streams[by]("/events", { feed: {} }),
        feed: {},
      });
      await watching.synced();
      await new Promise<void>((resolve) => {
        if (cache.getSnapshot().length > 0) resolve();
        cache.subscribe(resolve);
      });
      watching.stop();
      return cache.getSnapshot().map((row) => row.id);
    }, by);
    expect(shown).toEqual(["live"]);
  });
});
