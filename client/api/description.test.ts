import { expect, test } from "vitest";
import { readDescription, type TableDescription } from "./description";
import { asObject, type JsonObject } from "./json";

/** The parts of the server's document that are read, for one table. */
function documentOf(table: string, definition: JsonObject, readable: string[], path: JsonObject = {}): JsonObject {
  const encoded = encodeURIComponent(table);
  const references = readable.map((column) => ({
    $ref: `#/parameters/${encodeURIComponent(`rowFilter.${table}.${column}`.replaceAll("~", "~0").replaceAll("/", "~1"))}`,
  }));
  const get = { parameters: [...references, { $ref: "#/parameters/select" }] };
  return {
    paths: { [`/${encoded}`]: { ...(readable.length > 0 ? { get } : {}), ...path } },
    definitions: { [table]: definition },
  };
}

test("a table is told with its columns, types and keys", () => {
  const definition = {
    "x-kind": "table",
    description: "Films of the library",
    required: ["id", "title"],
    properties: {
      id: { format: "bigint", description: "Note:\nThis is a Primary Key.<pk/>", "x-declared-type": "INTEGER" },
      title: { format: "varchar", "x-declared-type": "VARCHAR(80)" },
      director: {
        format: "bigint",
        description: "Note:\nThis is a Foreign Key to `people.id`.<fk table='people' column='id'/>",
      },
      slug: { readOnly: true },
    },
  };
  const document = documentOf("films", definition, ["id", "title", "director", "slug"], { post: {} });
  const plain = { declaredType: null, required: false, generated: false, primaryKey: false, foreignKey: null };
  expect(readDescription(document)).toStrictEqual<TableDescription[]>([
    {
      name: "films",
      kind: "table",
      description: "Films of the library",
      columns: [
        { ...plain, name: "id", format: "bigint", declaredType: "INTEGER", required: true, primaryKey: true },
        { ...plain, name: "title", format: "varchar", declaredType: "VARCHAR(80)", required: true },
        { ...plain, name: "director", format: "bigint", foreignKey: { table: "people", column: "id" } },
        { ...plain, name: "slug", format: null, generated: true },
      ],
      primaryKey: ["id"],
      writable: true,
    },
  ]);
});

test("a table that may only be written is not one to be read", () => {
  const document = documentOf("inbox", { properties: { text: {} } }, [], { post: {} });
  expect(readDescription(document)).toStrictEqual([]);
});

test("a column that may only be written is not among those that are read", () => {
  const document = documentOf("users", { properties: { id: {}, password: {} } }, ["id"], { post: {} });
  expect(readDescription(document)[0]?.columns.map(({ name }) => name)).toStrictEqual(["id"]);
});

test("columns come in the order of the table, even when their names look like numbers", () => {
  const document = documentOf("sales", { properties: { region: {}, 2020: {}, 2021: {} } }, ["region", "2020", "2021"]);
  expect(readDescription(document)[0]?.columns.map(({ name }) => name)).toStrictEqual(["region", "2020", "2021"]);
});

test.each(["a/b ~{ä}", "it's (a) table*!", "select", "名前 😀", "100%"])(
  "the table %s is found by its name",
  (table) => {
    const column = `${table}.x/y~z`;
    const document = documentOf(table, { "x-kind": "view", properties: { [column]: {} } }, [column]);
    const strictly = {
      ...document,
      paths: { [`/${rfc3986(table)}`]: Object.values(asObject(document.paths))[0] ?? {} },
    };
    expect(readDescription(strictly).map(({ name, kind, columns }) => [name, kind, columns[0]?.name])).toStrictEqual([
      [table, "view", column],
    ]);
  },
);

/** As the server writes paths (Python's `quote` with nothing that is safe). */
const rfc3986 = (text: string) =>
  [...new TextEncoder().encode(text)]
    .map((byte) =>
      /[\w.~-]/.test(String.fromCharCode(byte)) && byte < 128
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`,
    )
    .join("");

test.each([null, [], "text", {}, { definitions: [] }, { paths: 7, definitions: { films: null } }])(
  "a document without tables, %j, has none",
  (document) => {
    expect(readDescription(document)).toStrictEqual([]);
  },
);
