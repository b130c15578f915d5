import { expect, test } from "vitest";
import { codeIn, returnPath, signInAddress } from "./return-path";

const ORIGIN = "https://db.example.org";

test.each(["/", "/health/", "/tables/?name=a%2Fb&filter=x.eq.1"])("%s is gone back to", (wanted) => {
  const next = new URL(signInAddress(wanted), ORIGIN).searchParams.get("next");
  expect(returnPath(next, ORIGIN)).toBe(wanted);
});

test.each([
  null,
  "",
  "health/",
  "https://evil.example/",
  "//evil.example/",
  "/\\evil.example/",
  "/\t/evil.example/",
  "/.//evil.example/",
  "javascript:alert(1)",
  "https://db.example.org/health/",
  "/sign-in/?next=/sign-in/",
  "http://[",
])("%j leads to the start page", (next) => {
  expect(returnPath(next, ORIGIN)).toBe("/");
});

test.each([
  ["#code=abc-_1", "abc-_1"],
  ["#", null],
  ["", null],
  ["#code=", null],
  ["#content", null],
])("the fragment %j holds the code %j", (hash, code) => {
  expect(codeIn(hash)).toBe(code);
});
