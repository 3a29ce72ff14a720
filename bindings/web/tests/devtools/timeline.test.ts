// @vitest-environment happy-dom
import axe from "axe-core";
import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { init, ManualClock, ResourceCache } from "resourcecache";
import { attach, type TimelineOptions } from "resourcecache/devtools";

interface Zone {
  id: string;
  name: string;
}
const A = { id: "a", name: "a.example" };
const B = { id: "b", name: "b.example" };

beforeAll(() => init());
afterEach(() => document.body.replaceChildren());

function attached(options?: TimelineOptions) {
  const clock = new ManualClock(1_000_000);
  const cache = new ResourceCache<Zone>({ clock });
  cache.merge([A, B]);
  const detach = attach(cache, document.body, options);
  const root = document.body.lastElementChild?.shadowRoot;
  if (root == null) throw new Error("nothing is drawn");
  const lanes = () =>
    [...root.querySelectorAll("details")].map((lane) => ({
      title: lane.querySelector(".id")?.textContent,
      now: lane.querySelector(".now")?.textContent,
      states: [...lane.querySelectorAll("rect")].map((part) => part.getAttribute("class")),
      told: [...lane.querySelectorAll("li")].map((item) => item.textContent ?? ""),
    }));
  return { clock, cache, detach, root, lanes };
}

describe("a timeline", () => {
  it("tells of a deletion from its beginning to its end, also what nobody sees", async () => {
    const { clock, cache, lanes } = attached();
    expect(lanes()).toEqual([]);
    const [operation] = cache.markAsDeleting("a").operations;
    clock.advance(1000);
    cache.acknowledge(operation ?? 0);
    clock.advance(1000);
    const { why, rule } = cache.explain("a");
    cache.merge([B]);
    await vi.waitFor(() => expect(lanes()[0]?.told.at(-1)).toContain("delete: confirmed"), {
      timeout: 10_000,
    });
    const [lane, ...others] = lanes();
    expect(others).toEqual([]);
    expect(lane?.title).toBe("a");
    expect(lane?.states.slice(0, 2)).toEqual(["deleting hidden", "deleted hidden"]);
    expect(lane?.told[1]).toBe(`00:16:41.000 deleted, hidden: ${why} (${rule})`);
  });

  it("tells why a failed deletion shows its row again, with the badge that the row has", async () => {
    const { cache, lanes } = attached();
    const [operation] = cache.markAsDeleting("b").operations;
    cache.fail(operation ?? 0, "refused by the registry");
    await vi.waitFor(
      () => expect(lanes()[0]?.told.at(-1)).toContain("delete: failed: refused by the registry"),
      { timeout: 10_000 },
    );
    expect(lanes()[0]?.told.at(-1)).toContain('shown as "refused by the registry"');
  });

  it("keeps one lane when a temporary id becomes a real one", async () => {
    const { cache, lanes } = attached();
    cache.addAsCreating({ id: "temp", name: "c.example" });
    cache.replaceCreated("temp", { id: "c", name: "c.example" });
    await vi.waitFor(() => expect(lanes().map(({ title }) => title)).toEqual(["c"]), { timeout: 10_000 });
    expect(lanes()[0]?.states.length).toBeGreaterThan(1);
  });

  it("shows what goes on already, keeps what it is told to keep, and refuses to keep nothing", async () => {
    const { cache, lanes } = attached({ lanes: 1, moments: 2 });
    cache.markAsUpdating("a", { name: "1" });
    const [operation] = cache.markAsDeleting("b").operations;
    cache.acknowledge(operation ?? 0);
    cache.merge([A]);
    await vi.waitFor(() => expect(lanes().map(({ title }) => title)).toEqual(["b"]), { timeout: 10_000 });
    expect(lanes()[0]?.told).toHaveLength(2);
    attach(cache, document.body)();
    expect(() => attach(cache, document.body, { lanes: 0 })).toThrow(RangeError);

    const late = document.createElement("div");
    attach(cache, late);
    const ids = late.firstElementChild?.shadowRoot?.querySelectorAll(".id") ?? [];
    expect([...ids].map((id) => id.textContent).sort()).toEqual(["a", "b"]);
  });

  it("leaves nothing behind when it is detached", () => {
    const { cache, detach } = attached();
    cache.markAsDeleting("a");
    detach();
    expect(document.body.childElementCount).toBe(0);
    cache.merge([B]);
    detach();
  });

  it("has nothing that axe finds fault with", async () => {
    const { cache, root, lanes } = attached();
    cache.markAsDeleting("a");
    await vi.waitFor(() => expect(lanes()).toHaveLength(1), { timeout: 10_000 });
    root.querySelector("details")?.setAttribute("open", "");
    const plain = document.createElement("main");
    plain.innerHTML = root.innerHTML;
    document.body.replaceChildren(plain);
    const { violations } = await axe.run(plain, { rules: { "color-contrast": { enabled: false } } });
    expect(violations).toEqual([]);
  });
});
