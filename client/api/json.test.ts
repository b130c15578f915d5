import { describe, expect, test } from "vitest";
import { asObject, parseJson, writeJson } from "./json";

describe("JSON", () => {
  test.each([
    ["9223372036854775807", 9223372036854775807n],
    ["-9223372036854775808", -9223372036854775808n],
    ["9007199254740993", 9007199254740993n],
    ["9007199254740991", 9007199254740991],
    ["0", 0],
    ["12.5", 12.5],
    ["9.0e+999", Number.POSITIVE_INFINITY],
    ['{"a":[1,null,true,"x"]}', { a: [1, null, true, "x"] }],
  ])("%s is read with all its digits", (text, value) => {
    expect(parseJson(text)).toStrictEqual(value);
  });

  test("integers of 64 bits are written as they were read", () => {
    const text = '{"big":9223372036854775807,"small":1,"list":[-9223372036854775808]}';
    expect(writeJson(parseJson(text))).toBe(text);
  });

  test("of two values under one name the last counts", () => {
    expect(parseJson('{"a":1,"a":{"b":2}}')).toStrictEqual({ a: { b: 2 } });
  });

  test("a column called __proto__ is a column", () => {
    const row = asObject(parseJson('{"__proto__":{"x":1},"id":7}'));
    expect(Object.keys(row)).toStrictEqual(["__proto__", "id"]);
    expect(row.x).toBeUndefined();
    expect(writeJson(row)).toBe('{"__proto__":{"x":1},"id":7}');
  });

  test("text that is no JSON is refused", () => {
    expect(() => parseJson("<html>")).toThrow(SyntaxError);
  });
});
