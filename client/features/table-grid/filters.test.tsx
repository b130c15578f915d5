// @vitest-environment jsdom
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, test } from "vitest";
import type { ColumnDescription } from "@/api/description";
import type { Filter } from "@/api/rows";
import { Filters } from "./filters";

afterEach(cleanup);

const column = (name: string): ColumnDescription => ({
  name,
  format: "text",
  declaredType: "TEXT",
  required: false,
  generated: false,
  primaryKey: false,
  foreignKey: null,
});

function draw(filters: Filter[]) {
  const changes: Filter[][] = [];
  render(
    <Filters columns={[column("title"), column("year")]} filters={filters} onChange={(next) => changes.push(next)} />,
  );
  return changes;
}

const OLD: Filter = { column: "title", operator: "contains", value: "boat" };

test("a new filter stands behind those that there are", async () => {
  const changes = draw([OLD]);
  await userEvent.selectOptions(screen.getByLabelText("Column to filter by"), "year");
  await userEvent.selectOptions(screen.getByLabelText("Condition"), "≥ is at least");
  await userEvent.type(screen.getByLabelText("Value"), "2000{Enter}");
  expect(changes).toStrictEqual([[OLD, { column: "year", operator: "gte", value: "2000" }]]);
});

test("NULL takes no value", async () => {
  const changes = draw([]);
  await userEvent.type(screen.getByLabelText("Value"), "left over");
  await userEvent.selectOptions(screen.getByLabelText("Condition"), "is NULL");
  expect(screen.getByLabelText<HTMLInputElement>("Value").disabled).toBe(true);
  await userEvent.click(screen.getByRole("button", { name: "Filter" }));
  expect(changes).toStrictEqual([[{ column: "title", operator: "null", value: "" }]]);
});

test("each filter is told and can be removed by itself", async () => {
  const changes = draw([OLD, { column: "year", operator: "notnull", value: "" }]);
  expect(screen.getAllByRole("listitem").map((item) => item.textContent?.trim())).toStrictEqual([
    "title contains boat",
    "year is not NULL",
  ]);
  await userEvent.click(screen.getByRole("button", { name: "Remove the filter on year" }));
  expect(changes).toStrictEqual([[OLD]]);
});
