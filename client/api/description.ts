/**
 * What the role may see: the tables and views of the API's own description, an OpenAPI 2.0 document at its root
 * (https://docs.postgrest.org/en/stable/references/api/openapi.html).
 */
import { queryOptions } from "@tanstack/react-query";
import { ask, type Question } from "./door";
import { asObject, asText, type Json, type JsonObject } from "./json";

export type TableKind = "table" | "view" | "virtual";

export type ForeignKey = { table: string; column: string };

export type ColumnDescription = {
  name: string;
  /** How its values travel: bigint, text, boolean, json, bytea…; null for a column that holds anything. */
  format: string | null;
  /** The type as the schema declares it; null where it declares none. */
  declaredType: string | null;
  required: boolean;
  generated: boolean;
  primaryKey: boolean;
  foreignKey: ForeignKey | null;
};

export type TableDescription = {
  name: string;
  kind: TableKind;
  description: string | null;
  /** The columns that the role may read. */
  columns: ColumnDescription[];
  /** The columns that tell a row from every other; empty where there is no such key or the role may not read it. */
  primaryKey: string[];
  writable: boolean;
};

/** Load the tables that may be read, in the order of their names. */
export async function loadTables(question: Question = {}): Promise<TableDescription[]> {
  const { body } = await ask("/api/rest/v1/", question);
  return readDescription(body);
}

/** The tables as the features ask for them: one answer for all who ask within half a minute. */
export const tablesQuery = queryOptions({
  queryKey: ["tables"],
  queryFn: ({ signal }) => loadTables({ signal }),
  staleTime: 30_000,
});

/** Read the tables of an OpenAPI document. */
export function readDescription(document: Json): TableDescription[] {
  const { definitions, paths } = asObject(document);
  const pathsByName = asObject(paths);
  return Object.entries(asObject(definitions)).flatMap(([name, definition]) => {
    const path = asObject(pathsByName[`/${percentEncode(name)}`]);
    const readable = readableColumns(name, path);
    return readable.size === 0 ? [] : [tableOf(name, asObject(definition), path, readable)];
  });
}

function tableOf(name: string, definition: JsonObject, path: JsonObject, readable: Set<string>): TableDescription {
  const required = new Set(Array.isArray(definition.required) ? definition.required : []);
  const properties = asObject(definition.properties);
  const columns = [...readable].map((column) => columnOf(column, asObject(properties[column]), required.has(column)));
  return {
    name,
    kind: kindOf(definition),
    description: asText(definition.description),
    columns,
    primaryKey: columns.filter((column) => column.primaryKey).map((column) => column.name),
    writable: ["post", "patch", "delete"].some((method) => method in path),
  };
}

function kindOf(definition: JsonObject): TableKind {
  const kind = definition["x-kind"];
  return kind === "view" || kind === "virtual" ? kind : "table";
}

function columnOf(name: string, described: JsonObject, required: boolean): ColumnDescription {
  const notes = asText(described.description) ?? "";
  return {
    name,
    format: asText(described.format),
    declaredType: asText(described["x-declared-type"]),
    required,
    generated: described.readOnly === true,
    primaryKey: notes.includes("<pk/>"),
    foreignKey: foreignKeyOf(notes),
  };
}

function foreignKeyOf(notes: string): ForeignKey | null {
  // Names are not escaped, but nothing follows the mark on its line.
  const [, table, column] = /<fk table='(.*)' column='(.*)'\/>$/m.exec(notes) ?? [];
  return table === undefined || column === undefined ? null : { table, column };
}

/**
 * The columns that reading operations can be filtered by: those that the role may read.
 *
 * They stand in a list. Of an object JavaScript would give names that look like numbers first, whatever their order.
 */
function readableColumns(table: string, path: JsonObject): Set<string> {
  const prefix = `#/parameters/rowFilter.${table}.`;
  const { parameters } = asObject(path.get);
  const references = (Array.isArray(parameters) ? parameters : []).map((parameter) => asText(asObject(parameter).$ref));
  return new Set(
    references
      .map((reference) => fromPointer(reference ?? ""))
      .filter((pointer) => pointer.startsWith(prefix))
      .map((pointer) => pointer.slice(prefix.length)),
  );
}

/** Decode a JSON pointer (RFC 6901) in a URI fragment, as far as one name in it goes. */
function fromPointer(reference: string): string {
  return decodeURIComponent(reference).replaceAll("~1", "/").replaceAll("~0", "~");
}

/** Percent-encode all but RFC 3986's unreserved characters, as the server writes paths; encodeURIComponent spares more. */
export function percentEncode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
