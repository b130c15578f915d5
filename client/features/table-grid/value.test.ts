import { expect, test } from "vitest";
import type { ColumnDescription } from "@/api/description";
import type { Json } from "@/api/json";
import { show, sizeOf, wholeText } from "./value";

const column = (format: string | null): ColumnDescription => ({
  name: "c",
  format,
  declaredType: null,
  required: false,
  generated: false,
  primaryKey: false,
  foreignKey: null,
});

test.each<[string | null, Json, object]>([
  ["text", null, { kind: "null", line: "NULL", cut: false }],
  ["text", "", { kind: "empty", line: "empty", cut: false }],
  ["text", "NULL", { kind: "text", line: "NULL", cut: false }],
  ["bigint", 9223372036854775807n, { kind: "number", line: "9223372036854775807", cut: false }],
  ["bigint", "many", { kind: "text", line: "many", cut: false }],
  ["double precision", Number.POSITIVE_INFINITY, { kind: "number", line: "Infinity", cut: false }],
  ["boolean", false, { kind: "boolean", line: "false", cut: false }],
  ["json", { a: [1n, null] }, { kind: "json", line: '{"a":[1,null]}', cut: false }],
  ["json", "no json", { kind: "text", line: "no json", cut: false }],
  ["bytea", "\\x00ff", { kind: "blob", line: "\\x00ff", cut: false }],
  ["bytea", `\\x${"00".repeat(17)}`, { kind: "blob", line: `\\x${"00".repeat(16)}`, cut: true }],
  ["bytea", "text", { kind: "text", line: "text", cut: false }],
  ["text", "\\x00ff", { kind: "text", line: "\\x00ff", cut: false }],
  ["text", "one\ntwo", { kind: "text", line: "one", cut: true }],
  ["text", "one\r\n", { kind: "text", line: "one", cut: true }],
  ["text", "x".repeat(61), { kind: "text", line: "x".repeat(60), cut: true }],
  ["text", `${"x".repeat(59)}😀`, { kind: "text", line: "x".repeat(59), cut: true }],
])("a value in a column of %s is shown as what it is (%#)", (format, value, shown) => {
  expect(show(value, column(format))).toStrictEqual(shown);
});

test("opened, JSON has its structure and everything else is as it is", () => {
  expect([wholeText({ a: [9223372036854775807n] }), wholeText("one\ntwo"), wholeText(12n)]).toStrictEqual([
    '{\n  "a": [\n    9223372036854775807\n  ]\n}',
    "one\ntwo",
    "12",
  ]);
});

test.each<[string, Json, string | null]>([
  ["text", "Oar\n😀", "5 characters"],
  ["text", "Oar", null],
  ["text", "x".repeat(1234), "1,234 characters"],
  ["bytea", `\\x${"00".repeat(1500)}`, "1.5 kB"],
  ["bigint", 7, null],
])("the size of a value in a column of %s is told", (format, value, size) => {
  expect(sizeOf(value, column(format))).toBe(size);
});
