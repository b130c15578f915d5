/**
 * JSON in which numbers keep all their digits.
 *
 * SQLite's integers have 64 bits, JavaScript's numbers 53: an integer beyond them becomes a bigint, others are plain numbers.
 */
import { parse, stringify } from "lossless-json";

export type Json = null | boolean | number | bigint | string | Json[] | JsonObject;
export type JsonObject = { [name: string]: Json };

const INTEGER = /^-?\d+$/;

function parseNumber(text: string): number | bigint {
  const number = Number(text);
  return INTEGER.test(text) && !Number.isSafeInteger(number) ? BigInt(text) : number;
}

/** Parse JSON; throws a SyntaxError. Of two values under one name in an object the last counts, as for JSON.parse. */
export function parseJson(text: string): Json {
  return parse(text, undefined, { parseNumber, onDuplicateKey: ({ newValue }) => newValue }) as Json;
}

/** Write a value as JSON, with `indent` spaces for each level where it is given. */
export function writeJson(value: Json, indent?: number): string {
  return stringify(value, undefined, indent) ?? "null";
}

/** Return the value as an object, an empty one where it is none: for reading documents that should have one there. */
export function asObject(value: Json | undefined): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
}

/** Return the value as text, null where it is none. */
export function asText(value: Json | undefined): string | null {
  return typeof value === "string" ? value : null;
}
