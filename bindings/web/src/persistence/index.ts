export type { DatabaseOptions, Durability } from "./database.js";
export { StoreError, type StoreProblem } from "./errors.js";
export type { LastResortStorage } from "./last-resort.js";
export { forget, openPersistent, type Persistent, type PersistentOptions } from "./persistent.js";
