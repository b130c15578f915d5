// @vitest-environment jsdom
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { ErrorNotice, Notice } from "./notice";

afterEach(cleanup);

test("an error interrupts, and tells what, where and what to do, each as a sentence", () => {
  render(<ErrorNotice error={{ message: "no such column", details: "in the filter x=eq.1", hint: "Perhaps y?" }} />);
  const said = [...screen.getByRole("alert").querySelectorAll("p")].map((paragraph) => paragraph.textContent);
  expect(said).toStrictEqual(["no such column.", "in the filter x=eq.1.", "Perhaps y?"]);
});

test("what an error does not tell leaves no gap", () => {
  render(<ErrorNotice error={{ message: "no", details: null, hint: null }} />);
  expect(screen.getByRole("alert").querySelectorAll("p")).toHaveLength(1);
});

test("a notice does not interrupt", () => {
  render(<Notice title="There are no rows" actions={<button type="button">Go on</button>} />);
  expect(screen.queryByRole("alert")).toBeNull();
  expect(screen.getByRole("button", { name: "Go on" })).toBeTruthy();
});
