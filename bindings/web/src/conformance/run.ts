/** Runs conformance scenarios, as the Rust runner does. The format is described beside the scenarios. */

import { ResourceCacheError } from "../errors.js";
import { act } from "./actions.js";
import { check } from "./expectations.js";
import { Fields, Ill } from "./fields.js";
import { World } from "./world.js";

/** How one scenario went. */
export interface Report {
  readonly name: string;
  /** What was expected, and what came instead; undefined for nothing. */
  readonly problem: string | undefined;
}

const REFUSALS = ["transition", "not_found", "already_exists", "bad_input", "bad_snapshot"];

/** The scenarios of a file. Throws for one that is no array of scenarios, or an empty one. */
export function scenariosOf(text: string): unknown[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new Error(`no array of scenarios: ${String(error)}`, { cause: error });
  }
  if (!Array.isArray(parsed)) throw new Error("no array of scenarios");
  if (parsed.length === 0) throw new Error("holds no scenario");
  return parsed;
}

/** Runs one scenario; the WebAssembly is loaded. */
export function runScenario(scenario: unknown): Report {
  let name = "(without a name)";
  let world: World | undefined;
  try {
    const fields = new Fields(scenario);
    name = fields.required("name");
    fields.optional("rules");
    world = new World(fields.optional("config") ?? {});
    const steps = fields.required<unknown[]>("steps");
    fields.finish();
    if (steps.length === 0) throw new Ill("has no steps");
    for (const [place, each] of steps.entries()) {
      try {
        step(world, new Fields(each));
      } catch (error) {
        if (!(error instanceof Ill)) throw error;
        throw new Ill(`step ${place + 1}: ${JSON.stringify(each)}\n    ${error.message}`);
      }
    }
  } catch (error) {
    return { name, problem: error instanceof Error ? error.message : String(error) };
  } finally {
    world?.cache.close();
  }
  return { name, problem: undefined };
}

function step(world: World, fields: Fields): void {
  world.setTime(fields.required("at"));
  if (fields.has("expect") === fields.has("do")) {
    throw new Ill("a step has either an action (do) or an expectation (expect)");
  }
  if (fields.has("expect")) {
    const expected = new Fields(fields.required("expect"));
    fields.finish();
    check(world, expected);
    for (const [id, key] of world.seen) world.seenAtExpectation.set(id, key);
    return;
  }
  const action = fields.required<string>("do");
  const refused = fields.optional<string>("refused");
  if (refused !== undefined && !REFUSALS.includes(refused)) {
    throw new Ill(`refused: ${refused} is no kind of error`);
  }
  const before = world.cache.save();
  let changes: ReturnType<typeof act>;
  try {
    changes = act(world, action, fields);
  } catch (error) {
    if (!(error instanceof ResourceCacheError)) throw error;
    const got = `got: refused as ${error.kind}: ${error.message}`;
    if (error.kind !== refused) {
      throw new Ill(`expected: ${refused === undefined ? "accepted" : `refused as ${refused}`}\n    ${got}`);
    }
    if (world.cache.save() !== before) {
      throw new Ill("expected: nothing changed\n    got: the refused action changed it");
    }
    world.last = undefined;
    return;
  }
  if (refused !== undefined) throw new Ill(`expected: refused as ${refused}\n    got: accepted`);
  if (changes !== undefined) world.accept(changes);
}
