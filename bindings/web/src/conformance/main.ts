#!/usr/bin/env node
/**
 * Runs the scenarios of files: a line per scenario, `N passed, N failed` at the end, and exit code 1 on any failure, an
 * unreadable file or one without a scenario.
 */

import { readFile } from "node:fs/promises";
import process from "node:process";
import { init } from "../load.js";
import { runScenario, scenariosOf } from "./run.js";

async function main(files: readonly string[]): Promise<number> {
  if (files.length === 0) {
    console.error("usage: resourcecache-conformance FILE...");
    return 2;
  }
  await init();
  const counts = { passed: 0, failed: 0 };
  const failed = (text: string) => {
    counts.failed += 1;
    console.log(`FAILED ${text}`);
  };
  for (const file of files) {
    let scenarios: unknown[];
    try {
      scenarios = scenariosOf(await readFile(file, "utf8"));
    } catch (error) {
      failed(`${file}: ${error instanceof Error ? error.message : String(error)}`);
      continue;
    }
    for (const scenario of scenarios) {
      const { name, problem } = runScenario(scenario);
      if (problem !== undefined) {
        failed(`${name}\n    ${problem}`);
        continue;
      }
      counts.passed += 1;
      console.log(`ok     ${name}`);
    }
  }
  console.log(`${counts.passed} passed, ${counts.failed} failed`);
  return counts.failed > 0 ? 1 : 0;
}

process.exitCode = await main(process.argv.slice(2));
