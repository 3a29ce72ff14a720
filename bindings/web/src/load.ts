/** The WebAssembly: loaded once, and watched for traps. */

import * as generated from "../generated/resourcecache.js";
import { BrokenError, NotReadyError, refusalOf } from "./errors.js";

export type Raw = typeof generated;
export type RawCache = generated.Cache;
export type RawSession = generated.WatchSession;

/** From what the WebAssembly can be loaded: its bytes, a compiled module, an answer that has them, or where it lies. */
export type WasmSource = BufferSource | WebAssembly.Module | Response | URL | string;

let loading: Promise<void> | undefined;
let memory: WebAssembly.Memory | undefined;
let broken: BrokenError | undefined;

/**
 * Loads the WebAssembly, once; later calls answer the same promise, and one that failed is tried anew.
 *
 * Without an argument it finds its own file: by `fetch` beside the module in browsers and workers, by
 * `node:fs` in Node. Importing the package loads nothing.
 */
export function init(source?: WasmSource | Promise<WasmSource>): Promise<void> {
  loading ??= load(source).catch((problem: unknown) => {
    loading = undefined;
    throw problem;
  });
  return loading;
}

/** Whether `init` has done its work. */
export function isReady(): boolean {
  return memory !== undefined;
}

async function load(source: WasmSource | Promise<WasmSource> | undefined): Promise<void> {
  const given = (await source) ?? (await ownSource());
  const exports = await generated.default({ module_or_path: given });
  memory = exports.memory;
}

async function ownSource(): Promise<WasmSource> {
  const own = new URL("../generated/resourcecache_bg.wasm", import.meta.url);
  if (own.protocol !== "file:") return own;
  // Not by a literal, so that no bundler for browsers looks for it.
  const files = "node:fs/promises";
  const { readFile } = (await import(/* @vite-ignore */ /* webpackIgnore: true */ files)) as {
    readFile(path: URL): Promise<Uint8Array<ArrayBuffer>>;
  };
  return readFile(own);
}

/** The generated functions and classes, once they can be called. */
export function loaded(): Raw {
  if (memory === undefined) throw new NotReadyError();
  return generated;
}

/** The memory's bytes as they are now: they move when it grows. */
export function bytesAt(start: number, length: number): Uint8Array {
  if (memory === undefined) throw new NotReadyError();
  return new Uint8Array(memory.buffer, start, length);
}

/** How much memory the WebAssembly has taken, in bytes. It never gives any back. */
export function memoryBytes(): number {
  return memory?.buffer.byteLength ?? 0;
}

/**
 * Calls into the WebAssembly. What it refuses is thrown as an error; after a trap nobody knows what was changed, so
 * that every later call throws.
 */
export function guarded<R>(call: () => R): R {
  if (broken !== undefined) throw broken;
  try {
    return call();
  } catch (thrown) {
    if (typeof thrown === "string") throw refusalOf(thrown);
    if (thrown instanceof WebAssembly.RuntimeError) {
      broken = new BrokenError(lastFault() ?? thrown.message);
      throw broken;
    }
    throw thrown;
  }
}

function lastFault(): string | undefined {
  try {
    return generated.last_fault();
  } catch {
    return undefined;
  }
}
