import { expect, test } from "vitest";
import type { Counting } from "@/api/rows";
import { lastOffset, placeOf } from "./page";

/** The place of a page with so many rows after `offset`, of those that were asked for. */
function place(
  rows: number,
  offset: number,
  total: number | null,
  { size = 50, counted = "estimated" as Counting } = {},
) {
  return placeOf({ rows: Array(rows).fill({}), offset, total, counted }, size);
}

test("the first page of several", () => {
  expect(place(50, 0, 160)).toStrictEqual({
    first: 1,
    last: 50,
    total: 160,
    estimated: false,
    previous: null,
    next: 50,
  });
});

test("the last page of several", () => {
  expect(place(10, 150, 160)).toStrictEqual({
    first: 151,
    last: 160,
    total: 160,
    estimated: false,
    previous: 100,
    next: null,
  });
});

test("no rows at all", () => {
  expect(place(0, 0, 0)).toStrictEqual({ first: 0, last: 0, total: 0, estimated: false, previous: null, next: null });
});

test("a page past the end leads back only", () => {
  expect(place(0, 500, 160)).toStrictEqual({
    first: 0,
    last: 0,
    total: 160,
    estimated: false,
    previous: 450,
    next: null,
  });
});

test("a server that gives fewer rows than asked for is followed row by row", () => {
  expect(place(20, 0, 160)).toMatchObject({ last: 20, next: 20 });
});

test("a full page at the end of an estimate may have another after it", () => {
  expect(place(50, 29_990, 30_000)).toStrictEqual({
    first: 29_991,
    last: 30_040,
    total: 30_040,
    estimated: true,
    previous: 29_940,
    next: 30_040,
  });
});

test("what was counted exactly is exact, however many", () => {
  expect(place(50, 0, 30_000, { counted: "exact" })).toMatchObject({ total: 30_000, estimated: false, next: 50 });
});

test("without a count a page that is not full is the last", () => {
  expect([place(50, 0, null).next, place(49, 0, null).next]).toStrictEqual([50, null]);
});

test.each([
  [0, 0],
  [1, 0],
  [50, 0],
  [51, 50],
  [160, 150],
])("of %d rows the last page begins after %d", (total, offset) => {
  expect(lastOffset(total, 50)).toBe(offset);
});
