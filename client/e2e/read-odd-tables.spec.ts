/** Somebody reads tables as SQLite allows them: any name, any value, any width. */
import { expect, gridOf, openTable, signIn, test } from "./studio";

test.beforeEach(({ page, odd }) => signIn(page, odd));

test("names of keywords, dots, quotes, signs and objects' own words are names", async ({ page, odd }) => {
  await openTable(page, odd, "select");
  expect(await gridOf(page)).toEqual({
    columns: ["order", "a.b", 'quote " here', "back\\slash", "limit", "名前 😀", "__proto__", "2020", "constructor"],
    rows: [
      ["1", "dot", "quote", "slash", "limit", "name", "proto", "7", "built"],
      ["2", "dot2", "quote2", "slash2", "limit2", "name2", "proto2", "8", "built2"],
    ],
  });
  for (const column of [
    "order",
    "a.b",
    'quote " here',
    "back\\slash",
    "limit",
    "名前 😀",
    "__proto__",
    "2020",
    "constructor",
  ]) {
    const head = page.getByRole("columnheader").filter({ hasText: column });
    await head.getByRole("button").click();
    await expect(head).toHaveAttribute("aria-sort", "ascending");
    await head.getByRole("button").click();
    await expect(head).toHaveAttribute("aria-sort", "descending");
    expect((await gridOf(page)).rows[0]?.[0]).toBe("2");
    await page.getByLabel("Column to filter by").selectOption(column);
    await page.getByLabel("Condition").selectOption("is not NULL");
    await page.getByRole("button", { name: "Filter", exact: true }).click();
    await expect(page.getByRole("list", { name: "Filters" })).toContainText(`${column} is not NULL`);
    expect((await gridOf(page)).rows).toHaveLength(2);
    await page.getByRole("button", { name: `Remove the filter on ${column}` }).click();
  }
});

for (const name of ["a/b ?&=#%", "__proto__"]) {
  test(`the table ${name} is found from the list`, async ({ page }) => {
    await page.getByRole("link", { name, exact: true }).click();
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(name);
    await page.reload();
    expect((await gridOf(page)).rows).toEqual(name === "__proto__" ? [["1", "mine"]] : [["1"], ["two"]]);
  });
}

test("every kind of value is shown as what it is", async ({ page, odd }) => {
  await openTable(page, odd, "things");
  expect((await gridOf(page)).rows).toEqual([
    ["1", "true", '["a",1]', "9223372036854775807", "Oar", "\\x00ff", "7"],
    ["2", "maybe", "no json", "many", "NULL", "text", "\\x01"],
    [
      "3",
      "false",
      '{"a":9007199254740993}',
      "-9223372036854775808",
      "empty",
      expect.stringMatching(/^\\x0{32}…/),
      "NULL",
    ],
    [
      "4",
      "NULL",
      "NULL",
      "9007199254740993",
      expect.stringMatching(/^line one…/),
      "NULL",
      '<b onclick="alert(1)">bold</b>',
    ],
  ]);
});

test("a long value can be seen whole", async ({ page, odd }) => {
  await openTable(page, odd, "things");
  await page.getByRole("button", { name: /^line one.*, show name whole$/ }).click();
  const dialog = page.getByRole("dialog", { name: "name of row 4" });
  await expect(dialog.locator("pre")).toHaveText("line one\nline two");
  await expect(dialog).toContainText("VARCHAR(20), 17 characters");
  await dialog.getByRole("button", { name: "Close" }).click();
  await page.getByRole("button", { name: /show picture whole/ }).click();
  await expect(page.getByRole("dialog", { name: "picture of row 3" })).toContainText("BLOB, 1.5 kB");
});

test("a foreign key to a row of another table is a link, NULL is none", async ({ page, odd }) => {
  await openTable(page, odd, "parts");
  await expect(page.getByRole("cell").getByRole("link")).toHaveText(["4"]);
});

test("a table without a primary key says so, and one without rows too", async ({ page, odd }) => {
  await openTable(page, odd, "hollow");
  await expect(page.getByText("no primary key")).toBeVisible();
  await expect(page.getByText("There are no rows")).toBeVisible();
});

test("a very wide table shows a hundred columns at once", async ({ page, odd }) => {
  await openTable(page, odd, "wide");
  const columns = page.getByRole("navigation", { name: "Columns" });
  await expect(columns.getByRole("status")).toHaveText("Columns 1 to 100 of 250");
  expect((await gridOf(page)).rows[0]?.[0]).toBe("first");
  await columns.getByRole("button", { name: "Later columns" }).click();
  await expect(columns.getByRole("status")).toHaveText("Columns 101 to 200 of 250");
  expect((await gridOf(page)).rows[0]?.[0]).toBe("later");
  await columns.getByRole("button", { name: "Later columns" }).click();
  expect((await gridOf(page)).columns.at(-1)).toBe("column 250");
  expect((await gridOf(page)).rows[0]?.at(-1)).toBe("last");
});
