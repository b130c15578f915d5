// @vitest-environment jsdom
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test } from "vitest";
import { CopyButton } from "./copy-button";

afterEach(cleanup);

test("a value is copied exactly, and that is said", async () => {
  const user = userEvent.setup(); // brings a clipboard of its own
  render(<CopyButton text={"9223372036854775807\n"} of="big" />);
  await user.click(screen.getByRole("button", { name: "Copy big" }));
  expect(await screen.findByText("Copied")).toBeTruthy();
  expect(await navigator.clipboard.readText()).toBe("9223372036854775807\n");
});

test("a page without a clipboard says that it could not copy", async () => {
  const user = userEvent.setup({ writeToClipboard: false });
  Object.defineProperty(navigator, "clipboard", { value: undefined, configurable: true });
  render(<CopyButton text="x" of="x" />);
  await user.click(screen.getByRole("button"));
  expect(await screen.findByText("Could not copy")).toBeTruthy();
});
