export { ResourceCache, cacheKey, lifecycleDiagram } from "./cache.js";
export { ManualClock, systemClock, type Clock, type Forget } from "./clock.js";
export {
  AlreadyExistsError,
  BadInputError,
  BadSnapshotError,
  BatchError,
  BrokenError,
  ClosedError,
  NotFoundError,
  NotReadyError,
  ResourceCacheError,
  ResponseError,
  TransitionError,
  type Refusal,
} from "./errors.js";
export { init, isReady, type WasmSource } from "./load.js";
export {
  kubernetesSchema,
  type Backoff,
  type Config,
  type Labels,
  type Options,
  type ProgressPlan,
  type RetryPolicy,
  type Schema,
  type Stage,
} from "./options.js";
export type { ProcessScope, Scope, ScopeOptions } from "./scopes.js";
export type { Host, Target } from "./host.js";
export { send, type SendOptions, type Sent } from "./sending.js";
export type * from "./types.js";
export type { MergeOptions } from "./verbs.js";
