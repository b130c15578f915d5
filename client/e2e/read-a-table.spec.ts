/** Somebody reads a table: page by page, in an order, the rows that meet a condition. */
import { alertOf, expect, gridOf, openTable, signIn, test } from "./studio";

test("the first rows are there, with columns, types and keys", async ({ page, films }) => {
  await signIn(page, films);
  await page.getByRole("link", { name: "roles", exact: true }).click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("roles");
  await expect(page).toHaveTitle("roles · Wherry Studio");
  const { columns, rows } = await gridOf(page);
  expect(columns).toEqual(["film_id", "person_id", "character", "billing"]);
  expect(rows).toHaveLength(50);
  expect(rows[0]).toEqual(["1", "41", "Old Matthis", "5"]);
  await expect(page.getByRole("columnheader", { name: /^film_id/ })).toContainText(
    "INTEGER, primary key, refers to films.id",
  );
});

test("pages lead to the last row and back", async ({ page, films }) => {
  await signIn(page, films);
  await openTable(page, films, "films");
  const place = page.getByRole("navigation", { name: "Pages" }).getByRole("status");
  await expect(place).toHaveText("Rows 1 to 50 of 160");
  await page.getByRole("button", { name: "Next page" }).click();
  await expect(place).toHaveText("Rows 51 to 100 of 160");
  await expect(page).toHaveURL(/offset=50$/);
  await page.getByRole("button", { name: "Last page" }).click();
  await expect(place).toHaveText("Rows 151 to 160 of 160");
  await expect(page.getByRole("button", { name: "Next page" })).toHaveAttribute("aria-disabled", "true");
  await page.getByRole("button", { name: "Previous page" }).click();
  await expect(place).toHaveText("Rows 101 to 150 of 160");
  await page.reload();
  await expect(place).toHaveText("Rows 101 to 150 of 160");
  await page.goBack();
  await expect(place).toHaveText("Rows 151 to 160 of 160");
  await page.getByRole("button", { name: "First page" }).click();
  await expect(place).toHaveText("Rows 1 to 50 of 160");
  await page.getByLabel("Rows on a page").selectOption("250");
  await expect(place).toHaveText("160 rows");
});

test("a click on a column orders by it, ascending, descending, not", async ({ page, films }) => {
  await signIn(page, films);
  await openTable(page, films, "genres");
  const head = page.getByRole("columnheader", { name: /^name/ });
  await head.getByRole("button").click();
  await expect(head).toHaveAttribute("aria-sort", "ascending");
  expect((await gridOf(page)).rows[0]).toEqual(["1", "Adventure"]);
  await head.getByRole("button").click();
  await expect(head).toHaveAttribute("aria-sort", "descending");
  await expect(page.getByRole("cell").nth(1)).toHaveText("War");
  await head.getByRole("button").click();
  await expect(head).toHaveAttribute("aria-sort", "none");
  await expect(page).toHaveURL(`${films.url}/tables/?name=genres`);
});

test("filters narrow the rows, stand in the address and can be removed", async ({ page, films }) => {
  await signIn(page, films);
  await openTable(page, films, "films");
  await page.getByLabel("Column to filter by").selectOption("year");
  await page.getByLabel("Condition").selectOption("≥ is at least");
  await page.getByLabel("Value").fill("2024");
  await page.getByRole("button", { name: "Filter", exact: true }).click();
  const place = page.getByRole("navigation", { name: "Pages" }).getByRole("status");
  await expect(place).toHaveText("2 rows");
  await page.getByLabel("Column to filter by").selectOption("sequel_to");
  await page.getByLabel("Condition").selectOption("is not NULL");
  await page.getByLabel("Value").isDisabled();
  await page.getByRole("button", { name: "Filter", exact: true }).click();
  await expect(page.getByText("No row meets the filters")).toBeVisible();
  await expect(page).toHaveURL(/filter=year\.gte\.2024&filter=sequel_to\.notnull\.$/);
  await page.reload();
  await page.getByRole("button", { name: "Remove the filter on year" }).click();
  await expect(place).toHaveText("8 rows");
});

test("text is found wherever it stands, also with the signs of patterns", async ({ page, films }) => {
  await signIn(page, films);
  await openTable(page, films, "films", "&filter=title.contains.PAPER");
  expect((await gridOf(page)).rows.map(([, title]) => title)).toEqual(["A Paper Regatta"]);
  await openTable(page, films, "films", "&filter=title.contains.%25&filter=title.contains.*");
  await expect(page.getByText("No row meets the filters")).toBeVisible();
});

test("a foreign key leads to its row", async ({ page, films }) => {
  await signIn(page, films);
  await openTable(page, films, "films");
  await page
    .getByRole("row", { name: /A Paper Regatta/ })
    .getByRole("link", { name: "119" })
    .click();
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("people");
  expect((await gridOf(page)).rows.map(([id, name]) => [id, name])).toEqual([["119", "Agnieszka Wetherlam"]]);
});

test("a whole row can be opened, and the focus comes back", async ({ page, films }) => {
  await signIn(page, films);
  await openTable(page, films, "films");
  await page.getByRole("button", { name: "Show row 1", exact: true }).click();
  const dialog = page.getByRole("dialog", { name: "Row 1" });
  await expect(dialog.getByRole("region", { name: "title" })).toContainText("A Paper Regatta");
  await expect(dialog.getByRole("region", { name: "plot" })).toContainText("who is using their name.");
  await expect(dialog.getByRole("region", { name: "details" })).toContainText('"format": "70 mm"');
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
  await expect(page.getByRole("button", { name: "Show row 1", exact: true })).toBeFocused();
});

test("a page past the end says so and leads back", async ({ page, films }) => {
  await signIn(page, films);
  await openTable(page, films, "genres", "&offset=5000");
  await expect(page.getByText("There are fewer rows than that")).toBeVisible();
  await page.getByRole("button", { name: "First page" }).first().click();
  await expect(page.getByText("14 rows")).toBeVisible();
});

test("a table that is not there is told, with the way to those that are", async ({ page, films }) => {
  await signIn(page, films, "anon");
  await openTable(page, films, "lists");
  await expect(page.getByText("There is no table or view “lists” that you may read")).toBeVisible();
  await page.getByRole("link", { name: "All tables" }).click();
  await expect(page).toHaveURL(`${films.url}/`);
});

test("a column that is gone is told in the server's words, and can be left out", async ({ page, films }) => {
  await signIn(page, films);
  await openTable(page, films, "genres", "&order=titel");
  await expect(alertOf(page)).toContainText("column genres.titel does not exist.");
  await page.getByRole("button", { name: "Without filters and order" }).click();
  await expect(page.getByText("14 rows")).toBeVisible();
});

test("many rows are estimated, counted on demand, and the last page is the last", async ({ page, odd }) => {
  await signIn(page, odd);
  odd.run("DELETE FROM many WHERE id > 19990");
  await openTable(page, odd, "many");
  const place = page.getByRole("navigation", { name: "Pages" }).getByRole("status");
  await expect(place).toHaveText("Rows 1 to 50 of about 20,000");
  await page.getByRole("button", { name: "Last page" }).click();
  await expect(page.getByRole("row", { name: /19,990/ })).toBeVisible();
  await page.getByRole("button", { name: "Count exactly" }).click();
  await expect(place).toHaveText("Rows 19,951 to 19,990 of 19,990");
});
