export { openShared, type Shared, type SharedOptions } from "./shared.js";
export type { ChannelLike, LocksLike } from "./surroundings.js";
export { StoreError, type StoreProblem } from "../persistence/errors.js";
