/**
 * What of a table is looked at: which rows, in which order. It stands in the address, so that a reload, a bookmark and
 * "back" find it again.
 *
 *     /tables/?name=films&order=year&desc=1&offset=100&size=25&filter=year.gte.2000&columns=100
 *
 * A filter is `column.operator.value`; a column whose name has a dot or begins with a quote stands in double quotes.
 */
import { type Filter, OPERATORS, type Operator, type Order, quoteName } from "@/api/rows";

export type View = {
  name: string;
  order: Order | null;
  filters: Filter[];
  /** How many rows come before the first that is shown. */
  offset: number;
  /** How many rows are shown at most. */
  size: number;
  /** How many columns come before the first that is shown. */
  columns: number;
};

export const SIZES = [25, 50, 100, 250, 500] as const;
const USUAL_SIZE = 50;

/** Read a view from the parameters of an address; what cannot be read is as if it were not there. */
export function readView(search: URLSearchParams): View {
  const order = search.get("order");
  const size = Number(search.get("size"));
  return {
    name: search.get("name") ?? "",
    order: order === null ? null : { column: order, descending: search.has("desc") },
    filters: search.getAll("filter").flatMap((text) => readFilter(text) ?? []),
    offset: wholeNumber(search.get("offset")),
    size: SIZES.find((one) => one === size) ?? USUAL_SIZE,
    columns: wholeNumber(search.get("columns")),
  };
}

/** Write a view as the parameters of an address, without what is as usual. */
export function writeView(view: View): URLSearchParams {
  return new URLSearchParams([
    ["name", view.name],
    ...(view.order ? [["order", view.order.column]] : []),
    ...(view.order?.descending ? [["desc", "1"]] : []),
    ...view.filters.map((filter) => ["filter", writeFilter(filter)]),
    ...(view.offset > 0 ? [["offset", String(view.offset)]] : []),
    ...(view.size === USUAL_SIZE ? [] : [["size", String(view.size)]]),
    ...(view.columns > 0 ? [["columns", String(view.columns)]] : []),
  ]);
}

/** Return the address of the rows of a table where a column has a value: what a foreign key refers to. */
export function addressOf(table: string, column: string, value: string): string {
  const filter = writeFilter({ column, operator: "eq", value });
  return `/tables/?${new URLSearchParams([
    ["name", table],
    ["filter", filter],
  ])}`;
}

/** Return the order after another click on a column: ascending, descending, none. */
export function nextOrder(order: Order | null, column: string): Order | null {
  if (order?.column !== column) {
    return { column, descending: false };
  }
  return order.descending ? null : { column, descending: true };
}

function writeFilter({ column, operator, value }: Filter): string {
  return `${/^"|\./.test(column) ? quoteName(column) : column}.${operator}.${value}`;
}

// A quoted name with escapes, or one without dots; then an operator; then anything.
const FILTER = /^(?:"((?:[^"\\]|\\.)*)"|([^."][^.]*))\.([a-z]+)\.(.*)$/su;

function readFilter(text: string): Filter | null {
  const [, quoted, bare, word, value = ""] = FILTER.exec(text) ?? [];
  const column = bare ?? quoted?.replace(/\\(.)/gsu, "$1");
  return column !== undefined && isOperator(word) ? { column, operator: word, value } : null;
}

const isOperator = (word: string | undefined): word is Operator => OPERATORS.some((operator) => operator === word);

function wholeNumber(text: string | null): number {
  const number = Number(text);
  return Number.isSafeInteger(number) && number > 0 ? number : 0;
}
