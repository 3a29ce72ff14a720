/** What a scenario expects of the cache. */

import type { Request, Status } from "../types.js";
import { isNothing } from "../rows.js";
import { Fields, Ill, isEqual, same } from "./fields.js";
import { EPOCH, type Item, type World } from "./world.js";

const STATUSES = ["deleting", "creating", "updating", "processing", "retrying"];
const SETTLEMENTS = ["confirmed", "not_confirmed", "superseded", "failed", "cancelled", "stale"];
const STATES = [
  ...["idle", "creating", "created", "updating", "updated", "processing", "processed"],
  ...["deleting", "deleted", "retrying", "failed", "gone", "forgotten"],
];

type ById<V> = Readonly<Record<string, V>>;

/** Checks every field of an expectation. */
export function check(world: World, fields: Fields): void {
  for (const [name, checker] of Object.entries(CHECKS)) {
    if (fields.has(name)) checker(world, fields.required<never>(name));
  }
  fields.finish();
}

/** Each expected field; null for one that is not there. */
function contains(what: string, expected: ById<unknown>, got: ById<unknown>): void {
  for (const [name, value] of Object.entries(expected)) {
    const has = got[name] ?? null;
    if (!isEqual(value, has)) {
      const [wanted, found] = [JSON.stringify(value), JSON.stringify(has)];
      throw new Ill(`expected: ${what} with ${name} = ${wanted}\n    got: ${name} = ${found}`);
    }
  }
}

function isAsked(what: string, fields: Fields, got: Request<Item>): void {
  same(`${what}: kind`, fields.optional("kind") ?? got.kind, got.kind);
  same(`${what}: id`, fields.optional("id") ?? got.id, got.id);
  const body = fields.optional<ById<unknown>>("body");
  if (body !== undefined) contains(`${what}'s body`, body, got.resource ?? {});
  fields.finish();
}

function attempt(world: World, expected: unknown): void {
  const got = world.attempt;
  const word = (there: boolean) => (there ? "an attempt" : "no attempt");
  if ((expected === null) !== (got === undefined)) {
    throw new Ill(`expected: ${word(expected !== null)}\n    got: ${word(got !== undefined)}`);
  }
  if (got === undefined) return;
  const fields = new Fields(expected);
  same("attempt of", world.operations.get(fields.required("op")), got.operation);
  same("attempt's number", fields.optional("number") ?? got.number, got.number);
  isAsked("the attempt", fields, got);
}

function requests(world: World, expected: ById<unknown>): void {
  for (const [name, call] of Object.entries(expected)) {
    const operation = world.operations.get(name);
    if (operation === undefined) throw new Ill(`requests: ${name} was never begun`);
    const got = world.cache.requestOf(operation);
    if ((call === null) !== (got === undefined)) {
      throw new Ill(`expected: otherwise\n    got: ${name} asks ${JSON.stringify(got)}`);
    }
    if (got !== undefined) isAsked(`${name}'s request`, new Fields(call), got);
  }
}

function items(world: World, expected: ById<ById<unknown>>): void {
  for (const [id, fields] of Object.entries(expected)) {
    const row = world.cache.getOne(id);
    if (row === undefined) throw new Ill(`expected: ${id} exists\n    got: absent`);
    contains(`${id}'s body`, fields, row.value);
  }
}

function meta(world: World, expected: ById<ById<unknown>>): void {
  for (const [id, fields] of Object.entries(expected)) {
    contains(`${id}'s _meta`, fields, world.cache.getOne(id)?.meta ?? {});
  }
}

function status(world: World, expected: ById<string | null>): void {
  for (const [id, word] of Object.entries(expected)) {
    if (word !== null && word !== "absent" && !STATUSES.includes(word))
      throw new Ill(`status: ${word} is none`);
    const row = world.cache.getOne(id);
    same(`${id}'s status`, word, row === undefined ? "absent" : (row.meta?.status ?? null));
  }
}

function state(world: World, expected: ById<string>): void {
  for (const [id, word] of Object.entries(expected)) {
    if (!STATES.includes(word)) throw new Ill(`state: ${word} is none`);
    same(`${id}'s state`, word, world.cache.state(id) ?? "gone");
  }
}

function byStatus(world: World, expected: ById<string[]>): void {
  for (const [word, ids] of Object.entries(expected)) {
    const rows = world.cache.getByStatus(word as Status);
    same(word, ids.toSorted(), rows.map((row) => row.id).sort());
  }
}

function outcomes(world: World, expected: unknown[]): void {
  const wanted = expected.map((outcome) => {
    const fields = new Fields(outcome);
    const [id, word] = [fields.required<string>("id"), fields.required<string>("outcome")];
    fields.finish();
    if (!SETTLEMENTS.includes(word)) throw new Ill(`outcome: ${word} is none`);
    return `${id}: ${word}`;
  });
  const got = world.outcomes.map(({ id, settlement }) => `${id}: ${settlement}`);
  world.outcomes = [];
  same("outcomes", wanted.sort(), got.sort());
}

function sameRow(world: World, expected: [string, string][]): void {
  for (const [first, second] of expected) {
    const before =
      first === second
        ? (world.seenAtExpectation.get(first) ?? world.firstSeen.get(first))
        : world.seen.get(first);
    if (before === undefined) throw new Ill(`same_row: ${first} was never seen before`);
    const row = world.cache.getOne(second);
    if (row === undefined) throw new Ill(`expected: a row of ${second}\n    got: none`);
    same(`${second} in the row of ${first},`, before, row.key);
  }
}

function changed(world: World, expected: unknown): void {
  const fields = new Fields(expected);
  const upserted = world.last?.upserted.map(({ row }) => row.id) ?? [];
  const removed = world.last?.removed.map((row) => row.id) ?? [];
  same("upserted", (fields.optional<string[]>("upserted") ?? []).toSorted(), upserted.sort());
  same("removed", (fields.optional<string[]>("removed") ?? []).toSorted(), removed.sort());
  fields.finish();
}

function simply(name: string, ask: (world: World) => unknown) {
  return (world: World, expected: unknown) => same(name, expected, ask(world));
}

function nextTimeout({ cache }: World): number | null {
  const at = cache.nextTimeout;
  return at === undefined ? null : at - EPOCH;
}

const CHECKS: Readonly<Record<string, (world: World, expected: never) => void>> = {
  visible: simply("visible", ({ cache }) => cache.getSnapshot().map((row) => row.id)),
  all: (world, expected: string[]) => {
    const ids = world.cache.all().map((row) => row.id);
    same("all", expected.toSorted(), ids.sort());
  },
  by_status: byStatus,
  next_timeout: simply("next_timeout", nextTimeout),
  queued: simply("queued", ({ cache }) => cache.queued),
  attempt,
  requests,
  should_poll: simply("should_poll", ({ cache }) => cache.shouldPoll),
  undo_labels: simply("undo_labels", ({ cache }) => cache.undoLabels()),
  redo_labels: simply("redo_labels", ({ cache }) => cache.redoLabels()),
  conflicts: simply("conflicts", ({ conflicts }) => conflicts.map(({ id, reason }) => ({ id, reason }))),
  items,
  meta,
  status,
  state,
  outcomes,
  same_row: sameRow,
  unchanged: simply("unchanged", ({ last }) => last === undefined || isNothing(last)),
  warnings: simply("warnings", ({ last }) => last?.warnings.length ?? 0),
  changed,
};
