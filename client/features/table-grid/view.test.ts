import { array, assert, boolean, constantFrom, integer, option, property, record, string } from "fast-check";
import { describe, expect, test } from "vitest";
import { OPERATORS } from "@/api/rows";
import { addressOf, nextOrder, readView, SIZES, type View, writeView } from "./view";

const read = (query: string) => readView(new URLSearchParams(query));

const USUAL: View = { name: "films", order: null, filters: [], offset: 0, size: 50, columns: 0 };

test("a table alone is its first rows in the usual number", () => {
  expect(read("name=films")).toStrictEqual(USUAL);
  expect(writeView(USUAL).toString()).toBe("name=films");
});

test("everything that is looked at stands in the address", () => {
  expect(
    read(
      "name=films&order=year&desc=1&filter=year.gte.2000&filter=%22a.b%22.contains.x.y&offset=100&size=25&columns=100",
    ),
  ).toStrictEqual({
    name: "films",
    order: { column: "year", descending: true },
    filters: [
      { column: "year", operator: "gte", value: "2000" },
      { column: "a.b", operator: "contains", value: "x.y" },
    ],
    offset: 100,
    size: 25,
    columns: 100,
  });
});

test.each([
  "offset=-5",
  "offset=1e999",
  "offset=x",
  "size=7",
  "size=1000000",
  "columns=1.5",
  "filter=year",
  "filter=year.like.x",
  "filter=.eq.5",
  "filter=",
])("%s cannot be meant and is as if it were not there", (parameter) => {
  expect(read(`name=films&${parameter}`)).toStrictEqual(USUAL);
});

test("any view is read as it was written", () => {
  const text = () => string({ unit: "binary", minLength: 1 });
  const views = record({
    name: text(),
    order: option(record({ column: text(), descending: boolean() })),
    filters: array(record({ column: text(), operator: constantFrom(...OPERATORS), value: string({ unit: "binary" }) })),
    offset: integer({ min: 0 }),
    size: constantFrom(...SIZES),
    columns: integer({ min: 0 }),
  });
  assert(
    property(views, (view) => {
      expect(readView(new URLSearchParams(writeView(view).toString()))).toEqual(view);
    }),
  );
});

test("a foreign key leads to the row that it refers to", () => {
  const search = new URL(addressOf("my people", "the.id", "7"), "http://localhost").searchParams;
  expect(readView(search)).toStrictEqual({
    ...USUAL,
    name: "my people",
    filters: [{ column: "the.id", operator: "eq", value: "7" }],
  });
});

describe("the order after a click", () => {
  test.each([
    [null, { column: "year", descending: false }],
    [
      { column: "year", descending: false },
      { column: "year", descending: true },
    ],
    [{ column: "year", descending: true }, null],
    [
      { column: "title", descending: true },
      { column: "year", descending: false },
    ],
  ])("of %j is %j", (before, after) => {
    expect(nextOrder(before, "year")).toStrictEqual(after);
  });
});
