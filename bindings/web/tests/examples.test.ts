/** The examples of the README and the docs, each run as a module of its own that depends on the built package. */

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { transformWithEsbuild } from "vite";

const ROOT = new URL("../../../", import.meta.url);
const PACKAGE = new URL("../", import.meta.url).pathname;

/** What the examples' comments say that they print. */
const SAID = /console\.log\(.*\); \/\/ (.*)$/gm;

mkdirSync(join(PACKAGE, ".examples"), { recursive: true });
const folder = mkdtempSync(join(PACKAGE, ".examples/"));
afterAll(() => rmSync(folder, { recursive: true }));

function examples(file: string, fence: string): string[] {
  const text = readFileSync(new URL(file, ROOT), "utf8");
  return text
    .split(fence)
    .slice(1)
    .map((rest) => rest.slice(0, rest.indexOf("```")));
}

const RUNS = "<!-- example: runs -->\n```ts\n";

/** Those that need a server: only their types are checked. */
const typed = examples("docs/web-live.md", "<!-- example: types -->\n```ts\n");

/** The pages, and how many examples of each are run. */
const PAGES = [
  ["docs/web.md", 3],
  ["docs/web-live.md", 1],
  ["docs/web-v1.md", 1],
] as const;

const all = [
  ...examples("README.md", "```ts\n").map((code) => ["README.md", code] as const),
  ...PAGES.flatMap(([page]) => examples(page, RUNS).map((code) => [page, code] as const)),
];

function check(...sources: string[]): void {
  const tsc = [
    ...["--noEmit", "--strict", "--skipLibCheck", "--target", "es2022", "--module", "nodenext"],
    ...["--types", "node", "--ignoreConfig", ...sources],
  ];
  execFileSync(join(PACKAGE, "node_modules/.bin/tsc"), tsc, { cwd: PACKAGE, stdio: "pipe" });
}

describe("an example", () => {
  it("is found in each page", () => {
    expect(all.map(([page]) => page)).toEqual([
      "README.md",
      ...PAGES.flatMap(([page, count]) => Array<string>(count).fill(page)),
    ]);
    expect(typed).toHaveLength(4);
  });

  it("that needs a server has the right types", () => {
    const sources = typed.map((code, place) => {
      const source = join(folder, `typed-${place}.ts`);
      writeFileSync(source, code);
      return source;
    });
    check(...sources);
  });

  it.each(all.map(([page, code], place) => [page, place, code] as const))(
    "of %s (%i) runs",
    async (_, place, code) => {
      // Resolved by the package's own name, so through its exports to what is built.
      const source = join(folder, `example-${place}.ts`);
      writeFileSync(source, code);
      check(source);
      const { code: script } = await transformWithEsbuild(code, "example.ts", { target: "es2022" });
      const module = join(folder, `example-${place}.mjs`);
      writeFileSync(module, script);
      const printed = execFileSync(process.execPath, [module], { encoding: "utf8" });
      for (const [, said = ""] of code.matchAll(SAID)) {
        const plain = (text: string) => text.replaceAll(/[\s"']/g, "");
        expect(plain(printed)).toContain(plain(said));
      }
    },
  );
});
