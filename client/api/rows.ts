/** Rows of a table, page by page, in PostgREST's dialect (https://docs.postgrest.org/en/stable/references/api.html). */
import { queryOptions } from "@tanstack/react-query";
import { ApiError } from "./api-error";
import { percentEncode } from "./description";
import { ask } from "./door";
import { asObject, type Json, type JsonObject } from "./json";

export type Order = { column: string; descending: boolean };

export const OPERATORS = ["eq", "neq", "gt", "gte", "lt", "lte", "contains", "null", "notnull"] as const;
export type Operator = (typeof OPERATORS)[number];

/** A condition that rows must meet; `value` has no meaning where the operator takes none. */
export type Filter = { column: string; operator: Operator; value: string };

export type Counting = "exact" | "estimated";

export type RowsQuestion = {
  table: string;
  /** The columns to give; all that may be read where it is null. */
  columns: string[] | null;
  order: Order[];
  filters: Filter[];
  offset: number;
  limit: number;
  count: Counting;
};

export type RowsPage = {
  rows: JsonObject[];
  offset: number;
  /** How many rows there are in all; null where the server does not say. */
  total: number | null;
  /** How `total` was found out. */
  counted: Counting;
};

/** Load a page of rows; throws an ApiError, with status 416 where the page begins past the last row. */
export async function loadRows(question: RowsQuestion, signal?: AbortSignal): Promise<RowsPage> {
  try {
    return await loadCounted(question, signal);
  } catch (error) {
    // An estimate may be too low, and then rows beyond it would be out of reach.
    if (error instanceof ApiError && error.status === 416 && question.count === "estimated") {
      return await loadCounted({ ...question, count: "exact" }, signal);
    }
    throw error;
  }
}

async function loadCounted(question: RowsQuestion, signal?: AbortSignal): Promise<RowsPage> {
  const { headers, body } = await ask(rowsAddress(question), {
    headers: { Prefer: `count=${question.count}` },
    signal,
  });
  const total = /\/(\d+)$/.exec(headers.get("content-range") ?? "")?.[1];
  return {
    rows: (Array.isArray(body) ? body : []).map(asObject),
    offset: question.offset,
    total: total === undefined ? null : Number(total),
    counted: question.count,
  };
}

/** A page of rows as a feature asks for it: the same question has the same answer until it is asked anew. */
export const rowsQuery = (question: RowsQuestion) =>
  queryOptions({ queryKey: ["rows", question.table, question], queryFn: ({ signal }) => loadRows(question, signal) });

/** How many rows meet the filters, counted and not estimated. */
export async function countRows(question: RowsQuestion): Promise<number | null> {
  const { total } = await loadCounted({
    ...question,
    columns: question.columns?.slice(0, 1) ?? null,
    order: [],
    offset: 0,
    limit: 1,
    count: "exact",
  });
  return total;
}

// nginx takes 8 kB of address; names are as long as their owner likes.
const LONGEST_SELECT = 4000;

/** Return the address of a page of rows. */
export function rowsAddress({ table, columns, order, filters, offset, limit }: RowsQuestion): string {
  const select = columns?.map(quoteName).join(",") ?? "";
  const parameters: [string, string][] = [
    ...(select && percentEncode(select).length <= LONGEST_SELECT ? [["select", select] as [string, string]] : []),
    ...filters.map((filter): [string, string] => [quoteName(filter.column), condition(filter)]),
    ...(order.length > 0 ? [["order", order.map(orderTerm).join(",")] as [string, string]] : []),
    ["limit", String(limit)],
    ["offset", String(offset)],
  ];
  const query = parameters.map(([name, value]) => `${percentEncode(name)}=${percentEncode(value)}`).join("&");
  return `/api/rest/v1/${percentEncode(table)}?${query}`;
}

/** Write a column's name so that it means the column, whatever characters it has and whatever words mean elsewhere. */
export function quoteName(name: string): string {
  return `"${name.replace(/[\\"]/g, "\\$&")}"`;
}

function orderTerm({ column, descending }: Order): string {
  return `${quoteName(column)}.${descending ? "desc" : "asc"}`;
}

function condition({ operator, value }: Filter): string {
  switch (operator) {
    case "null":
      return "is.null";
    case "notnull":
      return "not.is.null";
    case "contains":
      return containing(value);
    default:
      return `${operator}.${value}`;
  }
}

/** Text anywhere in the value, whatever its case. `*` cannot be escaped in ilike, so a text with one becomes a pattern. */
function containing(text: string): string {
  return text.includes("*")
    ? `imatch.${text.replace(/[\\^$.|?*+()[\]{}]/g, "\\$&")}`
    : `ilike.*${text.replace(/[\\%_]/g, "\\$&")}*`;
}

/** Return a value of a row by its column's name, null where it has none. */
export function cellOf(row: JsonObject, column: string): Json {
  return Object.hasOwn(row, column) ? (row[column] ?? null) : null;
}
