/** What tabs share: one order of events in IndexedDB, and now and then the whole state. */

import {
  asked,
  Database,
  FORMAT,
  headOf,
  recordsAfter,
  recordsUpTo,
  saveName,
  type Entry,
  type Head,
  type Saved,
  type Stores,
} from "../persistence/database.js";
import { StoreError } from "../persistence/errors.js";

/** The version of the rules by which events make states: the package's own. A test holds it. */
export const RULES = "0.1.0";

/** What a tab takes to catch up. */
export interface Missed {
  readonly head: Head;
  /** A whole state, where the events since the tab's own are not there any more. */
  readonly saved: Saved | undefined;
  readonly entries: readonly Entry[];
}

/** The whole state and its time. When it is restored at that time, it is the state after the commit. */
export type Whole = Pick<Saved, "state" | "at">;

/** The order of one cache's events. */
export class Ledger {
  readonly name: string;
  /** What all who apply its events must agree on. */
  readonly #settings: string;
  readonly #database: Database;

  constructor(name: string, config: string, database: Database) {
    this.name = name;
    this.#settings = `${RULES} ${config}`;
    this.#database = database;
  }

  transact<R>(mode: "readonly" | "readwrite", act: (stores: Stores) => Promise<R>): Promise<R> {
    return this.#database.transact(mode, act);
  }

  /**
   * Begins it, or goes on with it. Those who had it open with other settings, or an older version, cannot go on.
   * Answers the seed that all draw by.
   */
  async open(stores: Stores, seed: number, first: (seed: number) => Whole): Promise<number> {
    const { name } = this;
    const head = await headOf(stores, name);
    if (head === undefined) {
      stores.states.put({ name, revision: 0, ...first(seed) } satisfies Saved);
      await this.#putHead(stores, { revision: 0, seed, saved: 0, length: 0, cleared: 0 });
      return seed;
    }
    if (isNewer(head.settings, this.#settings)) {
      throw new StoreError("newer", name, "a newer version of the library keeps it; load the page anew");
    }
    if (head.settings !== this.#settings) await this.#putHead(stores, head);
    return head.seed;
  }

  /** What was committed since a revision. */
  async missed(stores: Stores, revision: number): Promise<Missed> {
    const { name } = this;
    const head = await headOf(stores, name);
    if (head === undefined) throw new StoreError("gone", name, "it was deleted meanwhile; open it anew");
    if (head.settings !== this.#settings) {
      const text = "another tab keeps it with other settings, or by a newer version; load the page anew";
      throw new StoreError("newer", name, text);
    }
    if (head.revision === revision) return { head, saved: undefined, entries: [] };
    let saved: Saved | undefined;
    if (revision < head.cleared || revision > head.revision) {
      saved = (await asked(stores.states.get(name))) as Saved | undefined;
      if (saved === undefined) throw new StoreError("damaged", name, "its state is missing");
    }
    const since = saved?.revision ?? revision;
    const entries = (await asked(stores.records.getAll(recordsAfter(name, since)))) as Entry[];
    if (entries.length !== head.revision - since) throw new StoreError("damaged", name, "events are missing");
    return { head, saved, entries };
  }

  /** Adds events to what `missed` has told within the same transaction; the revision that they make. */
  async commit(stores: Stores, head: Head, lines: string, whole?: Whole): Promise<number> {
    const { name } = this;
    const revision = head.revision + 1;
    stores.records.put({ name, revision, lines } satisfies Entry);
    if (whole === undefined) {
      await this.#putHead(stores, { ...head, revision, length: head.length + lines.length });
      return revision;
    }
    // Those who are a little behind go on by events.
    const cleared = head.saved;
    stores.records.delete(recordsUpTo(name, cleared));
    stores.states.put({ name, revision, ...whole } satisfies Saved);
    await this.#putHead(stores, { ...head, revision, saved: revision, length: 0, cleared });
    return revision;
  }

  close(): void {
    this.#database.close();
  }

  async #putHead(stores: Stores, head: Omit<Head, "name" | "format" | "save" | "settings">): Promise<void> {
    const own = { name: this.name, format: FORMAT, save: saveName(), settings: this.#settings };
    await asked(stores.heads.put({ ...head, ...own } satisfies Head));
  }
}

/** Whether settings were written by a newer version of the library than others. */
function isNewer(settings: string, than: string): boolean {
  const [one, other] = [settings, than].map(
    (text) => /^\d+\.\d+\.\d+/.exec(text)?.[0].split(".").map(Number) ?? [],
  );
  for (const place of [0, 1, 2]) {
    const difference = (one?.[place] ?? 0) - (other?.[place] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return false;
}
