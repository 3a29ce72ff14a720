/** The visible list, kept by what calls change; and what they change, read from JSON. */

import type { Changes, Row, Upsert } from "./types.js";

const NONE: readonly never[] = Object.freeze([]);

/** What a call changed, from its parsed JSON, which leaves out what there is none of. */
export function changesOf<T>(applied: Pick<Changes<T>, "revision"> & Partial<Changes<T>>): Changes<T> {
  return {
    revision: applied.revision,
    operations: applied.operations ?? NONE,
    upserted: applied.upserted ?? NONE,
    removed: applied.removed ?? NONE,
    outcomes: applied.outcomes ?? NONE,
    warnings: applied.warnings ?? NONE,
    conflicts: applied.conflicts ?? NONE,
  };
}

/** Whether there is nothing to tell. */
export function isNothing(changes: Changes<unknown>): boolean {
  return (
    changes.upserted.length === 0 &&
    changes.removed.length === 0 &&
    changes.outcomes.length === 0 &&
    changes.warnings.length === 0 &&
    changes.conflicts.length === 0
  );
}

/** The visible rows in list order. */
export class RowList<T> {
  /** Another array whenever something changed, never the same one changed. */
  rows: readonly Row<T>[] = [];
  /** Where each row stands; made anew when it is asked for after rows have moved. */
  #places: Map<number, number> | undefined;

  get(key: number): Row<T> | undefined {
    const place = this.#placeOf(key);
    return place === undefined ? undefined : this.rows[place];
  }

  /** Takes all rows instead of those that there were. */
  replace(rows: readonly Row<T>[]): void {
    this.rows = rows;
    this.#places = undefined;
  }

  /** Takes what changed; false when no row did. */
  apply(changes: Changes<T>): boolean {
    const { upserted, removed } = changes;
    if (upserted.length === 0 && removed.length === 0) return false;
    if (removed.length === 0 && upserted.every((upsert) => this.#isInPlace(upsert))) {
      const rows = this.rows.slice();
      for (const { row } of upserted) rows[this.#placeOf(row.key) ?? rows.length] = row;
      this.rows = rows;
    } else {
      this.replace(rearranged(this.rows, changes));
    }
    return true;
  }

  #placeOf(key: number): number | undefined {
    this.#places ??= new Map(this.rows.map((row, place) => [row.key, place]));
    return this.#places.get(key);
  }

  #isInPlace({ row, after }: Upsert<T>): boolean {
    const place = this.#placeOf(row.key);
    if (place === undefined) return false;
    return (this.rows[place - 1]?.key ?? null) === after;
  }
}

/** Takes out every removed and upserted row, and puts each upserted one behind the row that it names. */
function rearranged<T>(rows: readonly Row<T>[], { upserted, removed }: Changes<T>): Row<T>[] {
  const out = new Set<number>(removed.map((row) => row.key));
  const behind = new Map<number | null, Row<T>>();
  for (const { row, after } of upserted) {
    out.add(row.key);
    behind.set(after, row);
  }
  const next: Row<T>[] = [];
  const putBehind = (after: number | null) => {
    for (let row = behind.get(after); row !== undefined; row = behind.get(row.key)) next.push(row);
  };
  putBehind(null);
  for (const row of rows) {
    if (out.has(row.key)) continue;
    next.push(row);
    putBehind(row.key);
  }
  return next;
}
