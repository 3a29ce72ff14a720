import { beforeAll, expect, it } from "vitest";
import { init, ManualClock, ResourceCache } from "../src/index.js";
import { memoryBytes } from "../src/load.js";

beforeAll(() => init());

it("a million verbs leave the memory as it was", { timeout: 120_000 }, () => {
  const clock = new ManualClock(1);
  const cache = new ResourceCache<{ id: string; n: number }>({
    clock,
    config: { outcomeLog: 100, changeLog: 100 },
  });
  cache.merge([
    { id: "a", n: 0 },
    { id: "b", n: 0 },
  ]);
  const verbs = (count: number) => {
    for (let n = 0; n < count; n += 1) {
      const [operation = 0] = cache.markAsUpdating("a", { n }).operations;
      if (n % 2 === 0) cache.cancel(operation);
      else cache.fail(operation, "no");
      clock.advance(100_000);
    }
  };
  verbs(10_000);
  const before = memoryBytes();
  verbs(490_000);
  expect(memoryBytes() - before).toBeLessThan(1_000_000);
});

it("caches that are closed leave the memory as it was", { timeout: 60_000 }, () => {
  const list = JSON.stringify(Array.from({ length: 100 }, (_, n) => ({ id: `zone-${n}` })));
  const live = (count: number) => {
    for (let n = 0; n < count; n += 1) {
      using cache = new ResourceCache({ timers: false });
      cache.merge(list);
    }
  };
  live(200);
  const before = memoryBytes();
  live(5_000);
  expect(memoryBytes() - before).toBeLessThan(1_000_000);
});
