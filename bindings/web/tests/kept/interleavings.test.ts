/**
 * Tabs that open, close, change things at the same time, hear of each other late or not at all, and whose commits break:
 * against one naive list of what was acknowledged, in the order in which it was committed.
 */

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ManualClock, type ResourceCache } from "../../src/index.js";
import { openShared, type Shared } from "../../src/tabs/index.js";
import { breakWrites, channels, Locks, randomly, settle, storage, withRanges } from "./world.js";

interface Zone {
  readonly id: string;
  readonly n: number;
}

/** What somebody asked for, in a naive list. */
type Naive = (list: Map<string, number>) => void;

/** One change, as the library does it and as the naive list does. */
interface Change {
  readonly act: (cache: ResourceCache<Zone>) => unknown;
  readonly naive: Naive;
  /** Its place among all that were done, also those that were not kept. */
  place?: number;
  acknowledged?: boolean;
}

beforeEach(() => withRanges());
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

class World {
  readonly clock = new ManualClock(1_000_000);
  readonly locks = new Locks();
  readonly indexedDB = storage() as unknown as IDBFactory;
  readonly random: () => number;
  readonly BroadcastChannel: ReturnType<typeof channels>;
  readonly changes: Change[] = [];
  tabs: Shared<Zone>[] = [];
  #done = 0;
  #next = 0;

  constructor(seed: number) {
    this.random = randomly(seed);
    this.BroadcastChannel = channels(this.random);
  }

  below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  async open(): Promise<void> {
    const { clock, locks, indexedDB, BroadcastChannel } = this;
    const options = { clock, locks, indexedDB, BroadcastChannel, wholeEvery: 5, onError: () => {} };
    this.tabs.push(await openShared<Zone>("zones", options));
  }

  /** Something a user does, whole: begun, and accepted by the server at once. */
  change(): Change {
    const n = this.#next++;
    const [kind, id] = [this.below(3), `z${this.below(12)}`];
    const all = [...Array(12).keys()].map((place) => `z${place}`);
    const settle = (cache: ResourceCache<Zone>, operation: number | undefined, answer?: Zone) =>
      cache.acknowledge(operation ?? 0, answer);
    if (kind === 0) {
      const free = (has: (id: string) => boolean) => all.find((each) => !has(each));
      return this.#noted(
        (cache) => {
          const own = free((each) => cache.getOne(each)?.visible === true);
          if (own !== undefined)
            settle(cache, cache.addAsCreating({ id: own, n }).operations[0], { id: own, n });
        },
        (list) => {
          const own = free((each) => list.has(each));
          if (own !== undefined) list.set(own, n);
        },
      );
    }
    if (kind === 1) {
      return this.#noted(
        (cache) => {
          const shown = cache.getOne(id)?.visible === true;
          if (shown) settle(cache, cache.markAsUpdating(id, { n }).operations[0], { id, n });
        },
        (list) => void (list.has(id) && list.set(id, n)),
      );
    }
    return this.#noted(
      (cache) => {
        if (cache.getOne(id)?.visible === true) settle(cache, cache.markAsDeleting(id).operations[0]);
      },
      (list) => void list.delete(id),
    );
  }

  #noted(act: Change["act"], naive: Naive): Change {
    const change: Change = {
      act: (cache) => {
        change.place = this.#done++;
        act(cache);
      },
      naive,
    };
    this.changes.push(change);
    return change;
  }

  /** What the naive list has of all that was acknowledged, in the order in which it was done. */
  wanted(): string[] {
    const list = new Map<string, number>();
    const kept = this.changes.filter((change) => change.acknowledged === true);
    for (const { naive } of kept.sort((one, other) => (one.place ?? 0) - (other.place ?? 0))) naive(list);
    return [...list].map(([id, n]) => `${id}:${n}`).sort();
  }

  async play(steps: number): Promise<void> {
    const asked: Promise<unknown>[] = [];
    for (let step = 0; step < steps; step += 1) {
      const tab = this.tabs[this.below(this.tabs.length)];
      const what = this.below(20);
      if (what === 0 && this.tabs.length < 4) await this.open();
      else if (what === 1 && this.tabs.length > 1) {
        this.tabs = this.tabs.filter((each) => each !== tab);
        await tab?.close();
      } else if (what === 2) this.clock.advance(this.below(1_000));
      else if (what === 3) asked.push(tab?.sync().catch(() => {}) ?? Promise.resolve());
      else {
        const change = this.change();
        const done = tab?.update(change.act).then(
          () => (change.acknowledged = true),
          () => (change.acknowledged = false),
        );
        asked.push(done ?? Promise.resolve());
      }
      if (this.below(3) === 0) await settle(this.below(3));
    }
    await Promise.all(asked);
  }
}

const shown = ({ cache }: Shared<Zone>) =>
  cache
    .getSnapshot()
    .map(({ value }) => `${value.id}:${value.n}`)
    .sort();

describe("tabs, in any order", () => {
  it.each(Array.from({ length: 25 }, (_, seed) => [seed]))(
    "end alike, and as the naive list (%i)",
    async (seed) => {
      const world = new World(seed);
      await world.open();
      await world.open();
      const mend = breakWrites(() =>
        world.random() < 0.05 ? (world.random() < 0.5 ? "throw" : "abort") : undefined,
      );
      await world.play(80);
      mend();
      for (const tab of world.tabs) await tab.sync();
      await world.open();
      const [first] = world.tabs;
      for (const tab of world.tabs) {
        expect(shown(tab)).toEqual(world.wanted());
        expect(tab.cache.save()).toBe(first?.cache.save());
      }
      // Something was refused, and something was kept.
      expect(world.changes.some((change) => change.acknowledged === true)).toBe(true);
      expect(world.changes.every((change) => change.acknowledged !== undefined)).toBe(true);
      for (const tab of world.tabs) await tab.close();
    },
  );
});
