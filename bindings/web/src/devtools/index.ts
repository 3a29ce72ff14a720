/**
 * A timeline of what goes on in a cache: a developer's tool, for any page.
 *
 * One lane for each resource with which something goes on, drawn as SVG; opened, it tells each moment in words: what was
 * shown, how operations ended, and which rule of the model decided. Plain DOM, in a shadow root: no framework, and no style
 * leaks in or out. Importing it is safe where there is no DOM.
 */
import type { ResourceCache } from "../cache.js";
import { Recorder } from "./recorder.js";
import { Timeline } from "./timeline.js";

export type { Lane, Moment } from "./recorder.js";

export interface TimelineOptions {
  /** How many resources are kept, from 1 (40). */
  readonly lanes?: number;
  /** How many moments of each are kept, from 1 (100). */
  readonly moments?: number;
}

/**
 * Draws what goes on in a cache at the end of an element, from now on. Answers a function that ends it and takes the
 * drawing away; closing the cache leaves the drawing as it is.
 *
 * ```ts
 * import { attach } from "resourcecache/devtools";
 *
 * const detach = attach(cache, document.body);
 * ```
 */
export function attach<T extends object>(
  cache: ResourceCache<T>,
  element: Element,
  options: TimelineOptions = {},
): () => void {
  const limits = {
    lanes: limit("lanes", options.lanes ?? 40),
    moments: limit("moments", options.moments ?? 100),
  };
  const now = () => cache.clock.now();
  const timeline = new Timeline(element.ownerDocument, now, () => recorder.lanes());
  const recorder = new Recorder(cache, limits, () => timeline.changed());
  element.append(timeline.host);
  timeline.draw();
  return () => {
    recorder.end();
    timeline.end();
  };
}

function limit(name: string, value: number): number {
  if (Number.isInteger(value) && value >= 1) return value;
  throw new RangeError(`${name} must be a whole number from 1, not ${value}`);
}
