import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { init } from "../src/index.js";
import { runScenario, scenariosOf } from "../src/conformance/run.js";

const FOLDER = new URL("../../../tests/scenarios/", import.meta.url);
const MAIN = new URL("../dist/conformance/main.js", import.meta.url).pathname;
const files = readdirSync(FOLDER).filter((file) => file.endsWith(".json"));

beforeAll(() => init());

describe.each(files)("%s", (file) => {
  const scenarios = scenariosOf(readFileSync(new URL(file, FOLDER), "utf8")) as { name: string }[];
  it.each(scenarios.map((scenario) => [scenario.name, scenario]))("%s", (_, scenario) => {
    expect(runScenario(scenario).problem).toBeUndefined();
  });
});

describe("a scenario that is wrong", () => {
  const merge = { at: 0, do: "merge", items: [{ id: "a" }] };
  const mark = { at: 0, do: "mark_as_deleting", id: "a" };
  const wrong: [string, unknown[], RegExp][] = [
    ["expects another list", [merge, { at: 0, expect: { visible: ["b"] } }], /expected: visible/],
    ["expects a refusal", [merge, { ...mark, refused: "not_found" }], /got: accepted/],
    ["is refused", [merge, { at: 0, do: "cancel", op: "x" }], /got: refused as not_found/],
    [
      "is refused otherwise",
      [{ at: 0, do: "cancel", op: "x", refused: "bad_input" }],
      /refused as not_found/,
    ],
    ["has a word that nobody knows", [{ ...merge, colour: "red" }], /colour: not known here/],
    ["does what nobody knows", [{ at: 0, do: "eat" }], /eat is no action/],
    ["expects what nobody knows", [{ at: 0, expect: { taste: 1 } }], /taste: not known here/],
    ["has no steps", [], /has no steps/],
    ["expects another state", [merge, mark, { at: 0, expect: { state: { a: "idle" } } }], /a's state/],
    ["expects another body", [merge, { at: 0, expect: { items: { a: { id: "b" } } } }], /a's body/],
    [
      "expects an outcome",
      [merge, { at: 0, expect: { outcomes: [{ id: "a", outcome: "stale" }] } }],
      /outcomes/,
    ],
    ["expects a change", [merge, merge, { at: 0, expect: { changed: { upserted: ["a"] } } }], /upserted/],
    ["expects nothing", [merge, { at: 0, expect: { unchanged: true } }], /unchanged/],
    ["expects a deadline", [merge, { at: 0, expect: { next_timeout: 5 } }], /next_timeout/],
    ["expects an attempt", [merge, { at: 0, expect: { attempt: { op: "x" } } }], /an attempt/],
    ["expects another row", [merge, { at: 0, expect: { same_row: [["b", "a"]] } }], /never seen/],
  ];
  it.each(wrong)("fails when it %s", (_, steps, problem) => {
    expect(runScenario({ name: "n", steps }).problem).toMatch(problem);
  });
});

describe("the runner", () => {
  it("prints a line each and the counts, and tells by its exit code", () => {
    const folder = mkdtempSync(join(tmpdir(), "conformance-"));
    const [good, bad, empty] = ["good", "bad", "empty"].map((name) => join(folder, `${name}.json`));
    const scenario = { name: "one", steps: [{ at: 0, expect: { visible: [] } }] };
    writeFileSync(good ?? "", JSON.stringify([scenario]));
    writeFileSync(
      bad ?? "",
      JSON.stringify([{ ...scenario, steps: [{ at: 0, expect: { visible: ["a"] } }] }]),
    );
    writeFileSync(empty ?? "", "[]");
    const run = (...args: (string | undefined)[]) =>
      spawnSync(process.execPath, [MAIN, ...args.map((arg) => arg ?? "")], { encoding: "utf8" });
    expect(execFileSync(process.execPath, [MAIN, good ?? ""], { encoding: "utf8" })).toBe(
      "ok     one\n1 passed, 0 failed\n",
    );
    const failed = run(good, bad, empty, join(folder, "missing.json"));
    expect(failed.status).toBe(1);
    expect(failed.stdout).toMatch(/FAILED one\n {4}step 1: .*\n {4}expected: visible \["a"\]\n {4}got: \[\]/);
    expect(failed.stdout).toMatch(/holds no scenario/);
    expect(failed.stdout).toMatch(/missing\.json/);
    expect(failed.stdout.trimEnd().split("\n").at(-1)).toBe("1 passed, 3 failed");
    expect(run().status).toBe(2);
  });
});
