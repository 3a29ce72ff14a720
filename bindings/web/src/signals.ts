/** Signals of signals. `AbortSignal.any` is too new for some browsers that have all else. */

/** A signal that aborts when one of two does. */
export function either(
  one: AbortSignal,
  other: AbortSignal | undefined,
): { readonly signal: AbortSignal; readonly release: () => void } {
  const own = new AbortController();
  const first = () => own.abort(one.reason);
  const second = () => own.abort(other?.reason);
  one.addEventListener("abort", first, { once: true });
  other?.addEventListener("abort", second, { once: true });
  if (one.aborted) first();
  if (other?.aborted === true) second();
  const release = () => {
    one.removeEventListener("abort", first);
    other?.removeEventListener("abort", second);
  };
  return { signal: own.signal, release };
}
