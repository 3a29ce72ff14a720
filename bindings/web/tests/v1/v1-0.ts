/** What version 1.0 does with its list, as simply as it does it: to show that it reads what is written now. */

interface Mark {
  readonly status: string;
  readonly deletedAt?: string;
  readonly minTtl?: number;
}

export type Item = Record<string, unknown> & { readonly _meta?: Mark };

/** Fresh rows, with the marks of those that are known, but for deletions whose time is over. */
export function mergedByV1(stored: readonly Item[] | null, fresh: readonly Item[], now: number): Item[] {
  if (stored === null) return [...fresh];
  return fresh.map((item) => {
    const meta = stored.find((old) => old["id"] === item["id"])?._meta;
    if (meta === undefined) return item;
    const { deletedAt, minTtl } = meta;
    const over = deletedAt !== undefined && minTtl !== undefined && now - Date.parse(deletedAt) >= minTtl;
    return over ? item : { ...item, _meta: meta };
  });
}

/** What the list page shows. */
export function shownByV1(list: readonly Item[]): unknown[] {
  return list.filter((item) => item._meta?.status !== "deleting").map((item) => item["id"]);
}
