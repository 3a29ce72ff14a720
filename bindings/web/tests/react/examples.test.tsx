// @vitest-environment happy-dom
/** The examples of the page on React, each checked by its types and rendered. */

import { act, cleanup, configure, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { StrictMode, type ComponentType } from "react";
import { afterAll, afterEach, expect, it, vi } from "vitest";

configure({ asyncUtilTimeout: 20_000 });

const PACKAGE = new URL("../../", import.meta.url).pathname;

mkdirSync(join(PACKAGE, ".examples"), { recursive: true });
const folder = mkdtempSync(join(PACKAGE, ".examples/"));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const page = readFileSync(new URL("../../../../docs/web-react.md", import.meta.url), "utf8");
const files = page
  .split("```tsx\n")
  .slice(1)
  .map((rest, place) => {
    const file = join(folder, `example-${place}.tsx`);
    writeFileSync(file, rest.slice(0, rest.indexOf("```")));
    return file;
  });

async function app(place: number): Promise<ComponentType> {
  const { App } = (await import(/* @vite-ignore */ files[place] ?? "")) as { App: ComponentType };
  return App;
}

it("has the right types", () => {
  const tsc = [
    ...["--noEmit", "--strict", "--skipLibCheck", "--target", "es2022", "--module", "nodenext"],
    ...["--jsx", "react-jsx", "--types", "node,vite/client", "--ignoreConfig", ...files],
  ];
  execFileSync(join(PACKAGE, "node_modules/.bin/tsc"), tsc, { cwd: PACKAGE, stdio: "pipe" });
  expect(files).toHaveLength(3);
});

it.each([0, 2])(
  "is a list from which rows are deleted, and come back with the error when that fails (%i)",
  async (place) => {
    let refuse: () => void = () => {};
    vi.stubGlobal("fetch", async (path: string, init?: RequestInit) => {
      if (init?.method === "DELETE") {
        if (path === "/zones/a") return new Response();
        return new Promise((answer) => (refuse = () => answer(new Response(null, { status: 409 }))));
      }
      return [
        { id: "a", name: "a.example" },
        { id: "b", name: "b.example" },
      ];
    });
    const App = await app(place);
    render(
      <StrictMode>
        <App />
      </StrictMode>,
    );
    expect(screen.getByText("Loading")).toBeDefined();
    fireEvent.click(await screen.findByText("Delete a.example"));
    await waitFor(() => expect(screen.queryByText("Delete a.example")).toBeNull(), { timeout: 10_000 });
    fireEvent.click(screen.getByText("Delete b.example"));
    await waitFor(() => expect(screen.queryByText("Delete b.example")).toBeNull(), { timeout: 10_000 });
    await act(async () => refuse());
    expect((await screen.findByRole("status")).textContent).toMatch(/HTTP status 409/);
    expect(screen.getAllByRole("listitem")).toHaveLength(1);
  },
);

it("is a list that shows before there is a cache", async () => {
  const App = await app(1);
  render(<App />);
  expect(screen.getByText("a.example")).toBeDefined();
  await act(() => new Promise((resolve) => setTimeout(resolve, 50)));
  expect(screen.getByText("a.example")).toBeDefined();
});
