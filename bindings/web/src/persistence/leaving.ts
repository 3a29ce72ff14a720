/** When a page goes away, or may. */

interface Page {
  readonly document?: EventTarget & { readonly visibilityState?: string };
  addEventListener?(type: string, listener: () => void): void;
  removeEventListener?(type: string, listener: () => void): void;
}

/**
 * Calls back when the page is hidden (after which a phone may end it without a word) and when it is left, until the
 * answer is called; and when it is shown again.
 */
export function onLeaving(leaving: () => void, back: () => void = () => {}): () => void {
  const page = globalThis as Page;
  const turned = () => (page.document?.visibilityState === "hidden" ? leaving() : back());
  page.addEventListener?.("pagehide", leaving);
  page.addEventListener?.("pageshow", back);
  page.document?.addEventListener("visibilitychange", turned);
  return () => {
    page.removeEventListener?.("pagehide", leaving);
    page.removeEventListener?.("pageshow", back);
    page.document?.removeEventListener("visibilitychange", turned);
  };
}
