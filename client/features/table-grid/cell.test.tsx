// @vitest-environment jsdom
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test } from "vitest";
import type { ColumnDescription } from "@/api/description";
import type { Json } from "@/api/json";
import { Cell } from "./cell";

afterEach(cleanup);

const COLUMN: ColumnDescription = {
  name: "director",
  format: "bigint",
  declaredType: "INTEGER",
  required: false,
  generated: false,
  primaryKey: false,
  foreignKey: { table: "my people", column: "the.id" },
};

/** Draw a cell in a table, and count how often it is opened. */
function draw(value: Json, linked: boolean) {
  const opened: number[] = [];
  render(
    <table>
      <tbody>
        <tr>
          <Cell value={value} column={COLUMN} linked={linked} onOpen={() => opened.push(1)} />
        </tr>
      </tbody>
    </table>,
  );
  return opened;
}

test("a foreign key's value leads to its row, with all its digits", () => {
  draw(9223372036854775807n, true);
  const href = screen.getByRole("link", { name: "9223372036854775807" }).getAttribute("href") ?? "";
  const { pathname, searchParams } = new URL(href, "http://localhost");
  expect([pathname, searchParams.get("name"), searchParams.get("filter")]).toStrictEqual([
    "/tables/",
    "my people",
    '"the.id".eq.9223372036854775807',
  ]);
});

test.each([
  [null, true],
  [7, false],
])("%s with a table that may be read: %s, is no link", (value, linked) => {
  draw(value, linked);
  expect(screen.queryByRole("link")).toBeNull();
});

test("NULL and empty text look alike to nobody", () => {
  draw(null, false);
  draw("", false);
  draw("NULL", false);
  const cells = screen.getAllByRole("cell");
  expect(cells.map((cell) => [cell.textContent, cell.children.length, cell.className === ""])).toStrictEqual([
    ["NULL", 1, false],
    ["empty", 1, false],
    ["NULL", 0, false],
  ]);
  expect(new Set(cells.map((cell) => cell.className)).size).toBe(3);
});

test("text that looks like HTML is text", () => {
  draw("<img src=x onerror=alert(1)>", false);
  expect(screen.getByRole("cell").textContent).toBe("<img src=x onerror=alert(1)>");
  expect(screen.queryByRole("img")).toBeNull();
});

test("a long value says that there is more, and opens", async () => {
  const opened = draw("x".repeat(500), true);
  const button = screen.getByRole("button", { name: `${"x".repeat(60)}, show director whole` });
  await userEvent.click(button);
  expect(opened).toStrictEqual([1]);
});
