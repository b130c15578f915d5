import { expect, test } from "vitest";
import { counted, formatBytes, formatDuration, formatTime } from "./format";

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [4096, "4.1 kB"],
  [1_234_567, "1.23 MB"],
  [5e15, "5,000 TB"],
  [Number.NaN, "unknown"],
])("%d bytes are %s", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test.each([
  [0, "0 seconds"],
  [1.9, "1 second"],
  [60, "1 minute"],
  [3661, "1 hour 1 minute"],
  [93_784, "1 day 2 hours"],
  [86_401, "1 day"],
  [Number.NaN, "unknown"],
])("%d seconds are %s", (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});

test("one is singular", () => {
  expect([counted(1, "row"), counted(2, "row"), counted(0, "row"), counted(1200, "row")]).toStrictEqual([
    "1 row",
    "2 rows",
    "0 rows",
    "1,200 rows",
  ]);
});

test("what is no date is shown as it is", () => {
  expect(formatTime("soon")).toBe("soon");
});
