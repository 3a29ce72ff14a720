/** Times the package beside what one would do without it, in one process. */

import { init, ResourceCache } from "../src/index.js";
import { COUNT, idOf, list, type Zone } from "./lists.js";
import { byHand, database, query, v1, type Taker } from "./yardsticks.js";

/** Milliseconds by case: the least of several rounds. */
export type Times = Record<string, number>;

const ROUNDS = 12;
const CHANGED = COUNT / 100;
const SETTINGS = {
  schema: { uid: "/metadata/uid", version: "/metadata/resourceVersion" },
};
const PATCH = { spec: { replicas: 9 } };

/**
 * Measures all cases in turns, so that what disturbs one disturbs all. The clocks of browsers are coarse: what is
 * short is done many times.
 */
export async function measure(wasm: BufferSource): Promise<Times> {
  await init(wasm);
  const times: Times = {};
  const take = (name: string, act: () => unknown, count = 1) => {
    const start = performance.now();
    act();
    const spent = (performance.now() - start) / count;
    times[name] = Math.min(spent, times[name] ?? spent);
  };
  const takers: Record<string, Taker> = {
    "JSON.parse and a Map": byHand(),
    "TanStack Query: setQueryData with an overlay": query(),
    "TanStack DB": database(),
  };
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  const first = list(0);
  const ofBytes = new ResourceCache<Zone>(SETTINGS);
  const ofText = new ResourceCache<Zone>(SETTINGS);
  for (const cache of [ofBytes, ofText]) cache.merge(first);
  for (const taker of Object.values(takers)) taker(first);
  for (let round = 1; round <= ROUNDS; round++) {
    const text = list(round);
    const { buffer } = encoder.encode(text);
    // The first parse of a text that was joined of parts pays for its being made one.
    JSON.parse(text);
    take("JSON.parse", () => JSON.parse(text));
    take("TextDecoder and JSON.parse", () => JSON.parse(decoder.decode(buffer)));
    for (const [name, taker] of Object.entries(takers)) {
      take(name, () => expect(taker(text), CHANGED, name));
    }
    const rows = (cache: ResourceCache<Zone>, answer: string | ArrayBuffer) =>
      cache.merge(answer).upserted.length;
    take("merge of an ArrayBuffer", () => expect(rows(ofBytes, buffer), CHANGED, "merge"));
    take("merge of a string", () => expect(rows(ofText, text), CHANGED, "merge"));
    take("merge of an ArrayBuffer, identical", () => expect(rows(ofBytes, buffer), 0, "merge"));
  }
  for (const cache of [ofBytes, ofText]) cache.close();
  measureV1(take);
  measureVerbs(take);
  return times;
}

type Take = (name: string, act: () => unknown, count?: number) => void;

/** Few rounds: each takes as long as a thousand of the others. */
function measureV1(take: Take): void {
  const merge = v1();
  merge(list(0));
  for (let round = 1; round <= 2; round++) {
    const text = list(round);
    take("version 1.0", () => expect(merge(text), COUNT, "version 1.0"));
  }
}

/** On lists of their own: what has settled lately is remembered, and would be part of each merge. */
function measureVerbs(take: Take): void {
  const first = list(0);
  const ids = Array.from({ length: COUNT / 10 }, (_, i) => idOf(i * 10));
  for (let round = 1; round <= ROUNDS; round++) {
    const cache = new ResourceCache<Zone>(SETTINGS);
    take("first fill, all rows as objects", () => expect(cache.merge(first).upserted.length, COUNT, "fill"));
    const each = (name: string, act: (id: string) => unknown) => {
      take(
        name,
        () => {
          for (const id of ids) act(id);
        },
        ids.length,
      );
    };
    each("markAsUpdating", (id) => cache.markAsUpdating(id, PATCH));
    each("revert of an update", (id) => cache.revert(id));
    each("markAsDeleting", (id) => cache.markAsDeleting(id));
    expect(cache.getSnapshot().length, COUNT - ids.length, "markAsDeleting");
    each("revert of a deletion", (id) => cache.revert(id));
    each("getOne", (id) => cache.getOne(id));
    each("isProcessing", (id) => cache.isProcessing(id));
    expect(cache.getSnapshot().length, COUNT, "revert");
    cache.close();
  }
}

function expect(found: number, wanted: number, what: string): void {
  if (found !== wanted) throw new Error(`${what} found ${found} rows and not ${wanted}`);
}
