/** A cache that changes only by events that are kept: this tab's, as they are committed, and the other tabs'. */

import { ResourceCache } from "../cache.js";
import { BadInputError, BrokenError, ResourceCacheError } from "../errors.js";
import type { Options } from "../options.js";
import type { Changes } from "../types.js";

/** One line of a journal: the time, and the event as the core writes it, which is not read here. */
const LINE = /^\{"now":(-?\d+),"event":(.*)\}$/s;

/** One of the copies of a shared cache. */
export class Replica<T extends object> extends ResourceCache<T> {
  readonly #options: Options;
  #writing = false;

  constructor(options: Options) {
    const own = { ...options, timers: false };
    super(own);
    this.#options = own;
  }

  /** Makes changes, of which `taken` tells. */
  write<R>(act: (cache: ResourceCache<T>) => R): R {
    this.#writing = true;
    try {
      return act(this);
    } finally {
      this.#writing = false;
    }
  }

  /** The events since this was last asked. */
  taken(): string {
    return this.takeJournal();
  }

  /** Takes another state, which was so at that time. */
  replace(state: string, at: number): void {
    this.become(state, this.#options, at);
    this.keepJournal(true);
    this.retake();
  }

  /** Rows that are as they were stay the same objects. */
  protected override takeAll(): void {
    const before = this.list.rows;
    super.takeAll();
    const known = new Map(before.map((row) => [row.key, JSON.stringify(row)]));
    const same = new Map(before.map((row) => [row.key, row]));
    const rows = this.list.rows.map((row) => {
      const old = known.get(row.key) === JSON.stringify(row) ? same.get(row.key) : undefined;
      return old ?? row;
    });
    this.list.replace(rows);
  }

  /**
   * Applies events that others have kept, each at its own time, and answers what is wrong with those that are refused.
   * None is, but after the settings were changed; then all who go on pass over the same ones.
   */
  follow(lines: string): string[] {
    const problems: string[] = [];
    for (const line of lines.split("\n")) {
      if (line === "") continue;
      const [, now, event] = LINE.exec(line) ?? [];
      if (now === undefined || event === undefined)
        throw new BadInputError("an event cannot be read", "record");
      try {
        this.told(JSON.parse(this.ask((raw) => raw.apply_event(event, Number(now)))) as Changes<T>);
      } catch (problem) {
        if (!(problem instanceof ResourceCacheError) || problem instanceof BrokenError) throw problem;
        problems.push(problem.message);
      }
    }
    this.taken(); // They are kept already.
    return problems;
  }

  /** @internal */
  protected override mayChange(): void {
    if (this.#writing) return;
    throw new BadInputError(
      "a cache that tabs share is changed within update(), or by the shared cache's own verbs",
      "shared cache",
    );
  }
}

/** The time of the last event. */
export function lastTimeOf(lines: string): number | undefined {
  const last = lines.trimEnd().split("\n").at(-1) ?? "";
  const now = LINE.exec(last)?.[1];
  return now === undefined ? undefined : Number(now);
}
