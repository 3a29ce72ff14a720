import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const source = (path: string) => fileURLToPath(new URL(`src/${path}`, import.meta.url));

export default defineConfig({
  // Where tests name the package, they mean its source.
  resolve: {
    alias: [
      { find: /^resourcecache$/, replacement: source("index.ts") },
      { find: /^resourcecache\/(\w+)$/, replacement: source("$1/index.ts") },
      { find: "resourcecache/react/style.css", replacement: source("react/style.css") },
    ],
  },
  test: {
    // Also where a DOM is there, modules lie in files: the WebAssembly is read from one.
    testTransformMode: { ssr: ["**/*"] },
    testTimeout: 30_000,
    include: ["tests/**/*.test.{ts,tsx}"],
    exclude: ["tests/browser/**", "**/node_modules/**"],
  },
});
