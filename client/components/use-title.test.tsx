// @vitest-environment jsdom
import { cleanup, renderHook, waitFor } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { useTitle } from "./use-title";

afterEach(cleanup);

test("a page keeps its name when the title of its metadata comes later", async () => {
  document.title = "Tables · Wherry Studio";
  const { rerender } = renderHook(({ name }) => useTitle(name), { initialProps: { name: "roles" } });
  expect(document.title).toBe("roles · Wherry Studio");
  document.title = "Table · Wherry Studio";
  await waitFor(() => expect(document.title).toBe("roles · Wherry Studio"));
  rerender({ name: "films" });
  expect(document.title).toBe("films · Wherry Studio");
});

test("the next page has its own name", async () => {
  const { unmount } = renderHook(() => useTitle("roles"));
  document.title = "Health · Wherry Studio"; // in the same turn in which the page goes
  unmount();
  await Promise.resolve();
  expect(document.title).toBe("Health · Wherry Studio");
});
