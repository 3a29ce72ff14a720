import { describe, expect, it } from "vitest";
import { RowList } from "../src/rows.js";
import type { Changes, Row } from "../src/types.js";

type Value = { readonly version: number };

const row = (key: number, version = 0) =>
  ({ key, id: String(key), state: "idle", visible: true, value: { version } }) as Row<Value>;

/** What turns one list into another, as the core tells it: in list order, each with the row before it. */
function between(from: readonly Row<Value>[], to: readonly Row<Value>[], moved: ReadonlySet<number>) {
  const old = new Map(from.map((each) => [each.key, each]));
  const keys = new Set(to.map((each) => each.key));
  return {
    upserted: to.flatMap((each, place) =>
      old.get(each.key) === each && !moved.has(each.key)
        ? []
        : [{ row: each, after: to[place - 1]?.key ?? null }],
    ),
    removed: from.filter((each) => !keys.has(each.key)).map(({ key, id }) => ({ key, id })),
  } as unknown as Changes<Value>;
}

/** A generator of whole numbers below a bound (Numerical Recipes' constants). */
function random(seed: number) {
  let state = seed;
  return (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

describe("the visible list", () => {
  it("is what a list becomes by its changes, whatever they are (V6)", () => {
    for (let seed = 0; seed < 15; seed++) {
      const next = random(seed);
      const list = new RowList<Value>();
      let rows: Row<Value>[] = [];
      let fresh = 0;
      for (let step = 0; step < 40; step++) {
        const to = rows.slice();
        const moved = new Set<number>();
        for (let edit = next(4); edit >= 0; edit--) {
          const at = next(to.length + 1);
          const kind = next(4);
          if (kind === 0 || to.length === 0) to.splice(at, 0, row(fresh++));
          else if (kind === 1) to.splice(at, 1);
          else if (kind === 2) {
            const old = to[next(to.length)];
            if (old !== undefined) to[to.indexOf(old)] = row(old.key, step * 10 + edit + 1);
          } else {
            const [taken] = to.splice(next(to.length), 1);
            if (taken !== undefined) {
              to.splice(next(to.length + 1), 0, taken);
              moved.add(taken.key);
            }
          }
        }
        const changes = between(rows, to, moved);
        const any = changes.upserted.length + changes.removed.length > 0;
        expect(list.apply(changes)).toBe(any);
        rows = to;
        // Some arrays are made after several changes.
        if (next(3) > 0) {
          const made = list.rows;
          expect(made).toEqual(rows);
          expect(made.every((each, place) => each === rows[place])).toBe(true);
          expect(list.rows).toBe(made);
        }
        expect(rows.every((each) => list.get(each.key) === each)).toBe(true);
      }
    }
  });

  it("never changes an array that it gave", () => {
    const list = new RowList<Value>();
    list.replace([row(1), row(2), row(3)]);
    const before = list.rows;
    const copy = before.slice();
    const second = row(2, 1);
    list.apply({ upserted: [{ row: second, after: 1 }], removed: [] } as unknown as Changes<Value>);
    expect(list.rows).not.toBe(before);
    expect(list.rows[1]).toBe(second);
    expect(list.rows[0]).toBe(before[0]);
    list.apply({ upserted: [], removed: [{ key: 1, id: "1" }] } as unknown as Changes<Value>);
    expect(list.rows.map((each) => each.key)).toEqual([2, 3]);
    expect(list.get(1)).toBeUndefined();
    expect(before).toEqual(copy);
  });
});
