/** What HTTP answers say beside their body. */

import { ResponseError } from "./errors.js";

/** How many milliseconds the server asks to wait: `Retry-After` (RFC 9110, 10.2.3), seconds or a date. */
export function retryAfterOf(headers: Headers, now = Date.now()): number | undefined {
  const text = headers.get("retry-after")?.trim();
  if (text === undefined || text === "") return undefined;
  if (/^\d+$/.test(text)) return Math.min(Number(text) * 1_000, Number.MAX_SAFE_INTEGER);
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}

/** The error of an answer whose status is none of success. */
export function refusedBy(answer: Response): ResponseError {
  return new ResponseError(answer.status, answer.url, retryAfterOf(answer.headers));
}

/** Whether it is an answer of `fetch`'s. */
export function isResponse(answer: unknown): answer is Response {
  return typeof Response !== "undefined" && answer instanceof Response;
}
