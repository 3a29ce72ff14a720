import { expect, it } from "vitest";
import { BrokenError, init, isReady, NotReadyError, ResourceCache } from "../src/index.js";

it("nothing works before the WebAssembly is loaded, and nothing loads by importing", async () => {
  expect(isReady()).toBe(false);
  expect(() => new ResourceCache()).toThrow(NotReadyError);
  await expect(init(new Uint8Array([1, 2, 3]))).rejects.toThrow();
  expect(isReady()).toBe(false);
  // It may be tried anew.
  const loading = init();
  expect(init()).toBe(loading);
  await loading;
  expect(isReady()).toBe(true);
});

it("a trap is told with its words, and ends all that follows", () => {
  const cache = new ResourceCache<{ id: string }>();
  const other = new ResourceCache<{ id: string }>();
  cache.merge([{ id: "a" }]);
  expect(() => cache.ask((raw) => raw.room(2 ** 32 - 1))).toThrow(/please report it.*capacity overflow/s);
  expect(() => cache.merge([])).toThrow(BrokenError);
  expect(() => other.merge([])).toThrow(BrokenError);
  expect(() => new ResourceCache()).toThrow(BrokenError);
  // What was shown is still there to be shown.
  expect(cache.getSnapshot().map((row) => row.id)).toEqual(["a"]);
  expect(() => cache.close()).toThrow(BrokenError);
});
