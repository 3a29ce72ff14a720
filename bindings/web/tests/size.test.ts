import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";

it("is about as large to download as the page of benchmarks says", () => {
  const page = readFileSync(new URL("../../../docs/web-benchmarks.md", import.meta.url), "utf8");
  const said = Number(/and (\d+) kB as it is downloaded/.exec(page)?.[1]);
  const module = readFileSync(new URL("../generated/resourcecache_bg.wasm", import.meta.url));
  const kilobytes = gzipSync(module, { level: 9 }).length / 1_000;
  // Debian's compiler is older than the one that the page was written with.
  expect(kilobytes).toBeLessThan(said * 1.1);
});
