import { expect, test } from "vitest";
import { keyIn } from "./sign-in";

const KEY = "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoiYW5vbiJ9.c2ln-_x";

test.each([
  KEY,
  ` ${KEY}\n`,
  `Bearer ${KEY}`,
  `anon: ${KEY}`,
  `SERVICE_ROLE_KEY="${KEY}"`,
  `-H 'apikey: ${KEY}'`,
  `${KEY} ${KEY}`,
])("the key is found in %j", (pasted) => {
  expect(keyIn(pasted)).toBe(KEY);
});

test("a key that is no token is taken as it is", () => {
  expect(keyIn(" Bearer sb_publishable_x ")).toBe("sb_publishable_x");
});

test("of several keys none is chosen", () => {
  expect(() => keyIn(`anon: ${KEY}\nservice_role: ${KEY}2`)).toThrow("That holds several keys");
});
