/** Whether there is a network, as the browser says it. */

interface Surroundings {
  readonly navigator?: { readonly onLine?: boolean };
  addEventListener?(type: string, listener: () => void): void;
  removeEventListener?(type: string, listener: () => void): void;
}

/** False when the browser knows that there is none. */
export function seemsOnline(): boolean {
  return (globalThis as Surroundings).navigator?.onLine !== false;
}

/** Calls back when a network comes or goes, until the answer is called. */
export function onNetwork(listener: (online: boolean) => void): () => void {
  const here = globalThis as Surroundings;
  const online = () => listener(true);
  const offline = () => listener(false);
  here.addEventListener?.("online", online);
  here.addEventListener?.("offline", offline);
  return () => {
    here.removeEventListener?.("online", online);
    here.removeEventListener?.("offline", offline);
  };
}
