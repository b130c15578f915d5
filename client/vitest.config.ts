import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { alias: { "@": import.meta.dirname } },
  // Next wants the JSX of React 17 and later; the tests' own transformer reads it from here.
  oxc: { jsx: { runtime: "automatic" } },
  test: {
    include: ["{app,api,components,features,scripts}/**/*.test.{ts,tsx,mjs}"],
    // Whoever needs a document says so at the top: @vitest-environment jsdom
    environment: "node",
    env: { __NEXT_TRAILING_SLASH: "true" }, // as next.config.ts has it
    restoreMocks: true,
    unstubGlobals: true,
  },
});
