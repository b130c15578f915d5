import { expect, test } from "vitest";
import type { TableDescription, TableKind } from "@/api/description";
import { matching } from "./matching";

const table = (name: string, kind: TableKind, ...columns: string[]): TableDescription => ({
  name,
  kind,
  description: null,
  columns: columns.map((column) => ({
    name: column,
    format: "text",
    declaredType: "TEXT",
    required: false,
    generated: false,
    primaryKey: false,
    foreignKey: null,
  })),
  primaryKey: [],
  writable: false,
});

const TABLES = [
  table("films", "table", "id", "title"),
  table("film_ratings", "view", "title", "rating"),
  table("Réalisateurs", "table", "nom"),
];

test.each([
  ["", "", ["films", "film_ratings", "Réalisateurs"]],
  ["film", "", ["films", "film_ratings"]],
  ["FILM  title", "", ["films", "film_ratings"]],
  ["rating", "", ["film_ratings"]],
  ["realisateur", "", ["Réalisateurs"]],
  ["", "view", ["film_ratings"]],
  ["nom", "view", []],
  [".*", "", []],
])("%j among %j finds %j", (search, kind, names) => {
  expect(matching(TABLES, search, kind).map(({ name }) => name)).toStrictEqual(names);
});
