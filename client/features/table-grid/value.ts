/** How a value of a row is shown: what kind of thing it is, as one line, and whole. */
import type { ColumnDescription } from "@/api/description";
import { type Json, writeJson } from "@/api/json";
import { formatBytes } from "@/components/format";

export type ValueKind = "null" | "empty" | "number" | "boolean" | "text" | "json" | "blob";

export type Shown = {
  kind: ValueKind;
  /** The value as one line that fits into a cell. */
  line: string;
  /** Whether `line` is less than the value. */
  cut: boolean;
};

const LONGEST_LINE = 60;

export function show(value: Json, column: ColumnDescription): Shown {
  const kind = kindOf(value, column);
  switch (kind) {
    case "null":
      return { kind, line: "NULL", cut: false };
    case "empty":
      return { kind, line: "empty", cut: false };
    case "blob":
      return blob(String(value));
    default:
      return { kind, ...oneLine(kind === "json" ? writeJson(value) : String(value)) };
  }
}

/** Return the value whole: JSON with its structure, everything else as it is. */
export function wholeText(value: Json): string {
  return typeof value === "object" ? writeJson(value, 2) : String(value);
}

/** Say how large a value is, in the unit of its kind; null where that is of no interest. */
export function sizeOf(value: Json, column: ColumnDescription): string | null {
  const kind = kindOf(value, column);
  if (kind === "blob") {
    return formatBytes(byteCount(String(value)));
  }
  return kind === "text" && show(value, column).cut
    ? `${[...String(value)].length.toLocaleString("en")} characters`
    : null;
}

function kindOf(value: Json, column: ColumnDescription): ValueKind {
  switch (typeof value) {
    case "boolean":
      return "boolean";
    case "number":
    case "bigint":
      return "number";
    case "string":
      // A text that stands in a column of bytes is shown as text: SQLite lets it be there.
      return value === "" ? "empty" : column.format === "bytea" && /^\\x[0-9a-f]*$/.test(value) ? "blob" : "text";
    default:
      return value === null ? "null" : "json";
  }
}

function oneLine(text: string): { line: string; cut: boolean } {
  const [first = ""] = text.split(/\r\n|[\n\r\u2028\u2029]/, 1);
  const line = first.length > LONGEST_LINE ? withoutHalf(first.slice(0, LONGEST_LINE)) : first;
  return { line, cut: line.length < text.length };
}

/** Drop half a surrogate pair from the end. */
const withoutHalf = (text: string) => text.replace(/[\uD800-\uDBFF]$/, "");

const byteCount = (text: string) => (text.length - 2) / 2;

function blob(text: string): Shown {
  const cut = text.length > 34; // 16 bytes
  return { kind: "blob", line: cut ? `${text.slice(0, 34)}` : text, cut };
}
