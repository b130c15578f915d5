// @vitest-environment jsdom
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test } from "vitest";
import type { ColumnDescription } from "@/api/description";
import type { Order } from "@/api/rows";
import { ColumnHead } from "./column-head";

afterEach(cleanup);

const PLAIN: ColumnDescription = {
  name: "year",
  format: "bigint",
  declaredType: null,
  required: false,
  generated: false,
  primaryKey: false,
  foreignKey: null,
};

function draw(column: Partial<ColumnDescription>, order: Order | null = null) {
  const ordered: number[] = [];
  render(
    <table>
      <thead>
        <tr>
          <ColumnHead column={{ ...PLAIN, ...column }} order={order} onOrder={() => ordered.push(1)} />
        </tr>
      </thead>
    </table>,
  );
  return ordered;
}

test.each<[Order | null, string]>([
  [null, "none"],
  [{ column: "year", descending: false }, "ascending"],
  [{ column: "year", descending: true }, "descending"],
  [{ column: "title", descending: true }, "none"],
])("with the order %j a screen reader hears that it is sorted: %s", (order, sorted) => {
  draw({}, order);
  expect(screen.getByRole("columnheader").getAttribute("aria-sort")).toBe(sorted);
});

test.each<[Partial<ColumnDescription>, string]>([
  [{}, "yearbigint"],
  [{ declaredType: "INT(4)" }, "yearINT(4)"],
  [{ format: null }, "yearany"],
  [{ primaryKey: true, required: true }, "yearbigint, primary key"],
  [{ required: true }, "yearbigint not null"],
  [{ generated: true }, "yearbigint generated"],
  [{ foreignKey: { table: "years", column: "id" } }, "yearbigint, refers to years.id"],
])("a column with %j says %s", (column, said) => {
  draw(column);
  expect(screen.getByRole("columnheader").textContent).toBe(said);
});

test("a click orders", async () => {
  const ordered = draw({});
  await userEvent.click(screen.getByRole("button", { name: "year" }));
  expect(ordered).toStrictEqual([1]);
});
