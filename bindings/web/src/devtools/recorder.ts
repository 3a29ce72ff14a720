/** What happened to each resource, written down as it happens: bounded, and without a DOM. */
import type { ResourceCache } from "../cache.js";
import type { Outcome, State } from "../types.js";

/** A resource from one moment on, until its next one. */
export interface Moment {
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  readonly at: number;
  readonly id: string;
  /** None once the cache knows nothing of it. */
  readonly state: State | null;
  /** Whether the list showed it. */
  readonly visible: boolean;
  /** The badge that the row had. */
  readonly badge: string | undefined;
  /** The rule of the model that decided. */
  readonly rule: string;
  readonly why: string;
  /** The operations that ended at this moment: how, and with which error. */
  readonly outcomes: readonly Outcome[];
}

/** The moments of one resource, the oldest first. */
export interface Lane {
  /** The row's key: it stays when a temporary id becomes a real one. */
  readonly key: number;
  readonly moments: readonly Moment[];
}

/** How much is kept. */
export interface Limits {
  /** How many resources; the one that has been quiet for longest is dropped first. */
  readonly lanes: number;
  /** How many moments of each; the oldest are dropped first. */
  readonly moments: number;
}

const same = (one: Moment, other: Moment) =>
  other.outcomes.length === 0 &&
  one.id === other.id &&
  one.state === other.state &&
  one.visible === other.visible &&
  one.badge === other.badge &&
  one.rule === other.rule &&
  one.why === other.why;

/**
 * Follows a cache's changes. Only what something goes on with gets a lane: rows that a list merely brings do not, so that
 * a list of thousands costs nothing here.
 */
export class Recorder<T extends object> {
  readonly #cache: ResourceCache<T>;
  readonly #limits: Limits;
  /** By key, the one that changed last at the end. */
  readonly #lanes = new Map<number, Moment[]>();
  readonly #keys = new Map<string, number>();
  readonly #unfollow: () => void;

  constructor(cache: ResourceCache<T>, limits: Limits, changed: () => void) {
    this.#cache = cache;
    this.#limits = limits;
    for (const row of cache.all()) if (row.state !== "idle") this.#note(row.key, row.id, []);
    const unfollow = cache.onChanges((changes) => {
      const touched = new Map<number, string>();
      for (const { key, id } of changes.removed) touched.set(key, id);
      for (const { row } of changes.upserted)
        if (row.state !== "idle" || this.#lanes.has(row.key)) touched.set(row.key, row.id);
      for (const { id } of changes.outcomes) {
        const key = cache.getOne(id)?.key ?? this.#keys.get(id);
        if (key !== undefined) touched.set(key, id);
      }
      for (const [key, id] of touched)
        this.#note(
          key,
          cache.row(key)?.id ?? id,
          changes.outcomes.filter((outcome) => outcome.id === id),
        );
      if (touched.size > 0) changed();
    });
    // Also what changes nothing visible is told: a deletion that the server accepted, for one.
    const forget = cache.afterCalls(() => {
      for (const [key, moments] of [...this.#lanes]) {
        const last = moments.at(-1);
        if (last !== undefined && !settled(last) && this.#note(key, cache.row(key)?.id ?? last.id, []))
          changed();
      }
    });
    this.#unfollow = () => {
      unfollow();
      forget();
    };
  }

  /** The lanes, the one that changed last first. */
  lanes(): Lane[] {
    return [...this.#lanes].map(([key, moments]) => ({ key, moments })).reverse();
  }

  /** Follows no longer. */
  end(): void {
    this.#unfollow();
  }

  #note(key: number, id: string, outcomes: readonly Outcome[]): boolean {
    const { state, visible, rule, why } = this.#cache.explain(id);
    const badge = this.#cache.row(key)?.badge?.label;
    const moment: Moment = { at: this.#cache.clock.now(), id, state, visible, badge, rule, why, outcomes };
    const moments = this.#lanes.get(key) ?? [];
    const last = moments.at(-1);
    if (last !== undefined && same(last, moment)) return false;
    moments.push(moment);
    moments.splice(0, Math.max(0, moments.length - this.#limits.moments));
    this.#lanes.delete(key);
    this.#lanes.set(key, moments);
    this.#keys.set(id, key);
    for (const [quiet, dropped] of this.#lanes) {
      if (this.#lanes.size <= this.#limits.lanes) break;
      this.#lanes.delete(quiet);
      for (const { id } of dropped) if (this.#keys.get(id) === quiet) this.#keys.delete(id);
    }
    return true;
  }
}

/** Whether nothing goes on any more. */
export function settled(moment: Moment): boolean {
  return (
    moment.state === null ||
    moment.state === "idle" ||
    moment.state === "gone" ||
    moment.state === "forgotten"
  );
}
