import type { TableDescription, TableKind } from "@/api/description";

export const KINDS: readonly { kind: TableKind; singular: string; plural: string }[] = [
  { kind: "table", singular: "Table", plural: "Tables" },
  { kind: "view", singular: "View", plural: "Views" },
  { kind: "virtual", singular: "Virtual table", plural: "Virtual tables" },
];

/** Return the tables of a kind (any, where it is empty) that have every word in their name or in that of a column. */
export function matching(tables: TableDescription[], search: string, kind: string): TableDescription[] {
  const words = fold(search).split(/\s+/).filter(Boolean);
  return tables.filter((table) => {
    const names = [table.name, ...table.columns.map((column) => column.name)].map(fold);
    return (kind === "" || table.kind === kind) && words.every((word) => names.some((name) => name.includes(word)));
  });
}

/** Make letters alike that a searching eye takes for the same: case, and accents (`Ł` has none, but `é` has). */
const fold = (text: string) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
