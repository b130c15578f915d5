import { expect, test } from "vitest";
import { cellOf, type Filter, quoteName, type RowsQuestion, rowsAddress } from "./rows";

const FILMS: RowsQuestion = {
  table: "films",
  columns: null,
  order: [],
  filters: [],
  offset: 0,
  limit: 50,
  count: "exact",
};

/** The address as the server reads it: the path as it is, the parameters decoded. */
function read(question: Partial<RowsQuestion>) {
  const address = new URL(rowsAddress({ ...FILMS, ...question }), "http://localhost");
  return [address.pathname, ...[...address.searchParams].map(([name, value]) => `${name}=${value}`)];
}

test("a page of a table is a limit and an offset", () => {
  expect(read({ offset: 100 })).toStrictEqual(["/api/rest/v1/films", "limit=50", "offset=100"]);
});

test("columns and orders are quoted, whatever is in their names", () => {
  expect(
    read({ columns: ["id", "a.b", 'a"b', "a\\b", "a,b", "a:b", "*"], order: [{ column: "x.desc", descending: true }] }),
  ).toStrictEqual([
    "/api/rest/v1/films",
    'select="id","a.b","a\\"b","a\\\\b","a,b","a:b","*"',
    'order="x.desc".desc',
    "limit=50",
    "offset=0",
  ]);
});

test.each(["a/b", "a?b", "a#b", "a%2Fb", "a b", "it's", "..", "名前", "a+b", "a&b=c"])(
  "the table %s is one part of the path",
  (table) => {
    const address = rowsAddress({ ...FILMS, table });
    expect(decodeURIComponent(address.replace("/api/rest/v1/", "").replace(/\?.*/, ""))).toBe(table);
  },
);

test.each<[Filter["operator"], string, string]>([
  ["eq", "5", "eq.5"],
  ["neq", "", "neq."],
  ["gte", "a.b,(c)", "gte.a.b,(c)"],
  ["contains", "50%_\\", "ilike.*50\\%\\_\\\\*"],
  ["contains", "a*b.c", "imatch.a\\*b\\.c"],
  ["null", "", "is.null"],
  ["notnull", "", "not.is.null"],
])("a filter with %s and the value %j is written as PostgREST reads it", (operator, value, written) => {
  expect(read({ filters: [{ column: "limit", operator, value }] })[1]).toBe(`"limit"=${written}`);
});

test("plus signs and ampersands in a value stay in the value", () => {
  expect(rowsAddress({ ...FILMS, filters: [{ column: "a", operator: "eq", value: "1+1&x=2" }] })).toContain(
    "%22a%22=eq.1%2B1%26x%3D2",
  );
});

test("more names than fit into an address are left out, and all columns come", () => {
  const columns = Array.from({ length: 100 }, (_, number) => `a rather long name of a column, number ${number}`);
  expect(read({ columns })).toStrictEqual(["/api/rest/v1/films", "limit=50", "offset=0"]);
});

test("a name is quoted as the server's grammar reads it", () => {
  expect(quoteName('a"b\\c')).toBe('"a\\"b\\\\c"');
});

test("what an object has anyway is no value of a row", () => {
  expect([cellOf({ id: 1 }, "constructor"), cellOf({ id: 1 }, "id")]).toStrictEqual([null, 1]);
});
