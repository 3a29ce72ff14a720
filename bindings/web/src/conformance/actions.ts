/** What a scenario does. */

import type { Changes, Coverage, Operation, Retry, Step } from "../types.js";
import { Fields, Ill } from "./fields.js";
import type { Item, World } from "./world.js";

type Act = (world: World, fields: Fields) => Changes<Item>;

const OPERATIONS = ["creating", "updating", "processing", "deleting"];
const BEGINS = ["mark_as_deleting", "mark_as_processing", "mark_as_updating", "add_as_creating"];

/** Runs an action; its changes, or none for a reload. */
export function act(world: World, action: string, fields: Fields): Changes<Item> | undefined {
  if (action === "reload") {
    fields.finish();
    world.reload();
    return undefined;
  }
  if (BEGINS.includes(action)) return beginAlone(world, action, fields);
  const known = ACTIONS[action];
  if (known === undefined) throw new Ill(`do: ${action} is no action`);
  return known(world, fields);
}

/** What an action begins. */
function stepOf(action: string, fields: Fields): Step<Item> {
  const [sendAfter, minTtl] = [
    fields.optional<number>("send_after_ms"),
    fields.optional<number>("min_ttl_ms"),
  ];
  const how = {
    ...(sendAfter === undefined ? {} : { sendAfter }),
    ...(minTtl === undefined ? {} : { minTtl }),
  };
  const begin = (): Step<Item> => {
    switch (action) {
      case "add_as_creating":
        return { create: fields.required("item"), ...how };
      case "mark_as_deleting":
        return { delete: fields.required("id"), ...how };
      case "mark_as_updating":
        return { update: fields.required("id"), patch: fields.required("patch"), ...how };
      case "mark_as_processing":
        return { process: fields.required("id"), operation: operationOf(fields), ...how };
      default:
        throw new Ill(`do: ${action} begins no operation`);
    }
  };
  const step = begin();
  fields.finish();
  return step;
}

function operationOf(fields: Fields): Operation {
  const word = fields.required<string>("operation");
  if (!OPERATIONS.includes(word)) throw new Ill(`operation: ${word} is none`);
  return word as Operation;
}

function beginAlone(world: World, action: string, fields: Fields): Changes<Item> {
  const name = fields.optional<string>("as");
  const changes = begun(world, stepOf(action, fields));
  const [operation] = changes.operations;
  if (name === undefined) return changes;
  if (operation === undefined) throw new Ill("the action answered no operation to name");
  world.operations.set(name, operation);
  return changes;
}

function begun({ cache }: World, step: Step<Item>): Changes<Item> {
  if (step.sendAfter !== undefined) return cache.queue(step);
  if ("create" in step) return cache.addAsCreating(step.create, step.minTtl);
  if ("update" in step) return cache.markAsUpdating(step.update, step.patch, step.minTtl);
  if ("delete" in step) return cache.markAsDeleting(step.delete, step.minTtl);
  return cache.markAsProcessing(step.process, step.operation);
}

function perform(world: World, fields: Fields): Changes<Item> {
  const label = fields.required<string>("label");
  const begin = fields.required<unknown[]>("begin");
  fields.finish();
  const names: (string | undefined)[] = [];
  const steps = begin.map((action) => {
    const own = new Fields(action);
    const what = own.required<string>("do");
    names.push(own.optional("as"));
    return stepOf(what, own);
  });
  return world.stepped(world.cache.perform(label, steps), names);
}

function undoOrRedo(verb: "undo" | "redo"): Act {
  return (world, fields) => {
    const names = fields.optional<string[]>("as") ?? [];
    fields.finish();
    const changes = world.cache[verb]();
    if (names.length !== changes.operations.length) {
      throw new Ill(`expected: ${names.length} operations begun\n    got: ${changes.operations.length}`);
    }
    return world.stepped(changes, names);
  };
}

function beginFetch(world: World, fields: Fields): Changes<Item> {
  const name = fields.required<string>("as");
  fields.finish();
  return world.telling(() => world.fetches.set(name, world.cache.beginFetch()));
}

function pollAttempt(world: World, fields: Fields): Changes<Item> {
  fields.finish();
  return world.telling(() => (world.attempt = world.cache.pollAttempt()));
}

function merge(world: World, fields: Fields): Changes<Item> {
  const answer: Record<string, unknown> = { items: fields.required("items") };
  const token = world.token(fields.optional("fetch"));
  if (fields.has("list_version")) answer["list_version"] = fields.required("list_version");
  const coverage = coverageOf(fields.optional("coverage") ?? "complete");
  fields.finish();
  const bytes = new TextEncoder().encode(JSON.stringify(answer));
  return world.cache.merge(bytes, { ...token, coverage });
}

function coverageOf(given: unknown): Coverage {
  if (given === "complete") return given;
  const fields = new Fields(given);
  const coverage: Coverage = fields.has("ids")
    ? { ids: fields.required("ids") }
    : {
        after: fields.optional<string | null>("after") ?? null,
        before: fields.optional<string | null>("before") ?? null,
      };
  fields.finish();
  return coverage;
}

function observe(world: World, fields: Fields): Changes<Item> {
  const kind = fields.required<string>("type");
  const { cache } = world;
  if (kind === "failed") {
    const named = fields.has("key")
      ? { key: fields.required<string>("key") }
      : { id: fields.required<string>("id") };
    const error = fields.required<string>("error");
    fields.finish();
    return cache.observeFailed(named, error);
  }
  if (kind === "deleted" && fields.has("id")) {
    const [id, version] = [fields.required<string>("id"), fields.optional<string>("version")];
    fields.finish();
    return cache.observeDeleted(id, version);
  }
  const item = fields.optional("item");
  fields.finish();
  if (kind === "expired" && item === undefined)
    return cache.observe({ type: "ERROR", object: { code: 410 } });
  if (!["added", "modified", "deleted", "bookmark"].includes(kind)) {
    throw new Ill(`observe: ${kind} is no watch event`);
  }
  if (item === undefined && kind !== "bookmark") {
    throw new Ill(`observe: ${kind} without an item is no watch event`);
  }
  return cache.observe({ type: kind.toUpperCase(), object: item ?? {} });
}

function fail(world: World, fields: Fields): Changes<Item> {
  const operation = world.operation(fields.required("op"));
  const error = fields.required<string>("error");
  const status = fields.optional<number>("status");
  const after = fields.optional<number>("retry_after_ms");
  let retry: Retry = fields.optional<boolean>("retry") ?? false;
  if (status !== undefined) retry = after === undefined ? { status } : { status, retryAfter: after };
  else if (retry && after !== undefined) retry = { after };
  fields.finish();
  return world.cache.fail(operation, error, retry);
}

function acknowledge(world: World, fields: Fields): Changes<Item> {
  const operation = world.operation(fields.required("op"));
  const answer = fields.optional<Item>("item");
  fields.finish();
  return world.cache.acknowledge(operation, answer);
}

function ofOperation(verb: "attempt" | "cancel"): Act {
  return (world, fields) => {
    const operation = world.operation(fields.required("op"));
    fields.finish();
    return world.cache[verb](operation);
  };
}

function ofId(verb: "complete" | "revert" | "cancelOperation" | "remove"): Act {
  return (world, fields) => {
    const id = fields.required<string>("id");
    fields.finish();
    return world.cache[verb](id);
  };
}

function batchMark(world: World, fields: Fields): Changes<Item> {
  const ids = fields.required<string[]>("ids");
  const operation = operationOf(fields);
  const least = fields.optional<number>("min_ttl_ms");
  fields.finish();
  return world.cache.batchMarkAsProcessing(ids, operation, least);
}

/** One whose fields are all required, in the order of the verb's arguments. */
function plain<A extends unknown[]>(
  names: readonly string[],
  verb: (world: World, ...values: A) => Changes<Item>,
): Act {
  return (world, fields) => {
    const values = names.map((name) => fields.required(name));
    fields.finish();
    return verb(world, ...(values as A));
  };
}

const ACTIONS: Readonly<Record<string, Act>> = {
  merge,
  observe,
  fail,
  acknowledge,
  perform,
  undo: undoOrRedo("undo"),
  redo: undoOrRedo("redo"),
  begin_fetch: beginFetch,
  poll_attempt: pollAttempt,
  attempt: ofOperation("attempt"),
  cancel: ofOperation("cancel"),
  complete: ofId("complete"),
  revert: ofId("revert"),
  cancel_operation: ofId("cancelOperation"),
  remove: ofId("remove"),
  batch_mark_as_processing: batchMark,
  cleanup_stale_operations: (world, fields) => {
    const age = fields.optional<number>("older_than_ms");
    fields.finish();
    return world.cache.cleanupStaleOperations(age);
  },
  batch_remove: plain(["ids"], (world, ids: string[]) => world.cache.batchRemove(ids)),
  replace_created: plain(["temp_id", "item"], (world, id: string, item: Item) =>
    world.cache.replaceCreated(id, item),
  ),
  update_in_place: plain(["id", "item"], (world, id: string, item: Item) =>
    world.cache.updateInPlace(id, item),
  ),
  update_metadata: plain(["id", "meta"], (world, id: string, meta: object) =>
    world.cache.updateMetadata(id, meta),
  ),
  set_online: plain(["online"], (world, online: boolean) => world.cache.setOnline(online)),
  clear_history: plain([], (world) => world.cache.clearHistory()),
  tick: plain([], (world) => world.cache.handleTimeout()),
};
