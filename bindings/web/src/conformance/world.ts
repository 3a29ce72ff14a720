/** The cache that a scenario runs, and what the scenario has named or seen so far. */

import { ResourceCache } from "../cache.js";
import { ManualClock } from "../clock.js";
import { ResourceCacheError } from "../errors.js";
import type { Config, Options, Schema } from "../options.js";
import type { Attempt, Changes, Conflict, FetchToken, Json, Outcome } from "../types.js";
import { Fields, Ill, isEqual } from "./fields.js";

/** What a scenario's resources are. */
export type Item = Record<string, Json>;

/** From which the times of a scenario count: 2025-01-19T00:00:00Z. */
export const EPOCH = Date.UTC(2025, 0, 19);

const NOTHING: Changes<Item> = {
  revision: 0,
  operations: [],
  upserted: [],
  removed: [],
  outcomes: [],
  warnings: [],
  conflicts: [],
};

/** The scenario's world. */
export class World {
  cache: ResourceCache<Item>;
  readonly operations = new Map<string, number>();
  readonly fetches = new Map<string, FetchToken>();
  last: Changes<Item> | undefined;
  attempt: Attempt<Item> | undefined;
  conflicts: readonly Conflict[] = [];
  outcomes: Outcome[] = [];
  readonly seen = new Map<string, number>();
  readonly firstSeen = new Map<string, number>();
  readonly seenAtExpectation = new Map<string, number>();
  readonly #clock = new ManualClock(EPOCH);
  readonly #options: Options;
  #followed: Changes<Item>[] = [];

  constructor(settings: unknown) {
    this.#options = { ...optionsOf(new Fields(settings)), clock: this.#clock, timers: false };
    try {
      this.cache = new ResourceCache<Item>(this.#options);
    } catch (error) {
      if (error instanceof ResourceCacheError) throw new Ill(`config: ${error.message}`);
      throw error;
    }
    this.#follow();
  }

  setTime(at: number): void {
    this.#clock.set(EPOCH + at);
  }

  operation(name: string): number {
    // A name that nothing has is an operation that the cache cannot know.
    return this.operations.get(name) ?? Number.MAX_SAFE_INTEGER;
  }

  token(name: string | undefined): { token?: FetchToken } {
    if (name === undefined) return {};
    const token = this.fetches.get(name);
    if (token === undefined) throw new Ill(`fetch: ${name} was never begun`);
    return { token };
  }

  /** Runs what does not answer its changes; they are what was told meanwhile. */
  telling(act: () => void): Changes<Item> {
    this.#followed = [];
    act();
    return this.#followed[0] ?? NOTHING;
  }

  /** Names the operations that a step began. */
  stepped(changes: Changes<Item>, names: readonly (string | undefined)[]): Changes<Item> {
    changes.operations.forEach((operation, place) => {
      const name = names[place];
      if (name !== undefined) this.operations.set(name, operation);
    });
    this.conflicts = changes.conflicts;
    return changes;
  }

  /** Sees that the list, which follows the changes, is as it is when it is taken whole. */
  accept(changes: Changes<Item>): void {
    const followed = this.cache.getSnapshot();
    const whole = this.cache.read((raw) => raw.visible());
    if (!isEqual(followed, whole)) {
      const rows = (list: unknown) => JSON.stringify(list);
      throw new Ill(
        `expected: the changes lead to the new list ${rows(whole)}\n    got: ${rows(followed)} by ${rows(changes)}`,
      );
    }
    for (const row of this.cache.all()) {
      if (!this.firstSeen.has(row.id)) this.firstSeen.set(row.id, row.key);
      this.seen.set(row.id, row.key);
    }
    this.outcomes.push(...changes.outcomes);
    this.last = changes;
  }

  /** Saves the state, drops the cache and loads it again. */
  reload(): void {
    const told = this.cache.outcomes().length;
    const saved = this.cache.save();
    this.cache.close();
    this.cache = new ResourceCache<Item>(this.#options, saved);
    this.#follow();
    // What became due while it was away.
    this.outcomes.push(...this.cache.outcomes().slice(told));
    this.last = undefined;
  }

  #follow(): void {
    this.cache.onChanges((changes) => this.#followed.push(changes));
  }
}

function optionsOf(fields: Fields): { config: Config; schema: Schema } {
  const schema: Record<string, unknown> = { items: "/items", listVersion: "/list_version" };
  for (const name of ["id", "uid", "version", "token"]) {
    const pointer = fields.optional(name);
    if (pointer !== undefined) schema[name] = pointer;
  }
  // How a list carries its own version is the runner's business: merge names it.
  fields.optional("list_version");
  const config: Record<string, unknown> = {};
  for (const name of SETTINGS) {
    if (fields.has(name)) config[ownName(name)] = ownNames(fields.required(name));
  }
  fields.finish();
  return { config, schema };
}

const SETTINGS = [
  "ttl_ms",
  "stale_after_ms",
  "completed_shown_ms",
  "error_shown_ms",
  "retry_backoff_ms",
  "version_order",
  "new_items",
  "on_failure",
  "bad_items",
  "retry",
  "max_under_way",
  "progress",
  "history",
  "change_log",
  "outcome_log",
  "seed",
];

/** Settings by this language's names, as a user writes them. */
function ownNames(value: unknown, keep = false): unknown {
  if (Array.isArray(value)) return value.map((each) => ownNames(each));
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).map(([name, field]) => {
    // None means never, which is 0 here.
    if (name === "max_attempts" && field === null) return ["maxAttempts", 0];
    return [keep ? name : ownName(name), ownNames(field, name === "stages" && !Array.isArray(field))];
  });
  return Object.fromEntries(entries.filter(([, field]) => field !== null));
}

function ownName(name: string): string {
  return name.replace(/_ms$/, "").replace(/_[a-z]/g, (part) => part.slice(1).toUpperCase());
}
