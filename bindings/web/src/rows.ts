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

/** A row's place in the list. */
interface Link<T> {
  row: Row<T>;
  before: Link<T> | undefined;
  behind: Link<T> | undefined;
  /** Where it stands in the array that was made last. */
  place: number;
}

/**
 * The visible rows in list order: links, so that taking a change costs what has changed; and an array of them, made
 * when it is asked for.
 */
export class RowList<T> {
  readonly #links = new Map<number, Link<T>>();
  #first: Link<T> | undefined;
  #last: Link<T> | undefined;
  #rows: readonly Row<T>[] = [];
  /** Links that hold another row than the array does. */
  #replaced: Link<T>[] = [];
  /** Whether rows came, went or moved since the array was made. */
  #moved = false;

  /** Another array whenever something changed, never the same one changed. */
  get rows(): readonly Row<T>[] {
    if (this.#moved) {
      const rows: Row<T>[] = [];
      for (let link = this.#first; link !== undefined; link = link.behind) {
        link.place = rows.length;
        rows.push(link.row);
      }
      this.#rows = rows;
    } else if (this.#replaced.length > 0) {
      const rows = this.#rows.slice();
      for (const link of this.#replaced) rows[link.place] = link.row;
      this.#rows = rows;
    }
    this.#moved = false;
    this.#replaced = [];
    return this.#rows;
  }

  get(key: number): Row<T> | undefined {
    return this.#links.get(key)?.row;
  }

  /** Takes all rows instead of those that there were. */
  replace(rows: readonly Row<T>[]): void {
    this.#links.clear();
    this.#first = undefined;
    this.#last = undefined;
    for (const row of rows) this.#put(row, this.#last);
    this.#moved = true;
  }

  /** Takes what changed; false when no row did. */
  apply({ upserted, removed }: Changes<T>): boolean {
    if (upserted.length === 0 && removed.length === 0) return false;
    for (const { key } of removed) this.#takeOut(this.#links.get(key));
    if (removed.length === 0 && upserted.every((upsert) => this.#isInPlace(upsert))) {
      for (const { row } of upserted) this.#replace(row);
      return true;
    }
    // First all that moves is taken out: what each comes behind stays, or was put back before it.
    for (const { row } of upserted) this.#takeOut(this.#links.get(row.key));
    for (const { row, after } of upserted) {
      this.#put(row, after === null ? undefined : this.#links.get(after));
    }
    return true;
  }

  #isInPlace({ row, after }: Upsert<T>): boolean {
    const link = this.#links.get(row.key);
    return link !== undefined && (link.before?.row.key ?? null) === after;
  }

  #replace(row: Row<T>): void {
    const link = this.#links.get(row.key);
    if (link === undefined) return;
    link.row = row;
    if (!this.#moved) this.#replaced.push(link);
  }

  #takeOut(link: Link<T> | undefined): void {
    if (link === undefined) return;
    const { before, behind } = link;
    if (before === undefined) this.#first = behind;
    else before.behind = behind;
    if (behind === undefined) this.#last = before;
    else behind.before = before;
    this.#links.delete(link.row.key);
    this.#moved = true;
  }

  /** Puts a row behind a link; first without one. */
  #put(row: Row<T>, before: Link<T> | undefined): void {
    const behind = before === undefined ? this.#first : before.behind;
    const link = { row, before, behind, place: 0 };
    if (before === undefined) this.#first = link;
    else before.behind = link;
    if (behind === undefined) this.#last = link;
    else behind.before = link;
    this.#links.set(row.key, link);
    this.#moved = true;
  }
}
