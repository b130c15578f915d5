/** Somebody looks for a table among those that the role may see. */
import { alertOf, expect, type Page, signIn, test } from "./studio";
import { serveOdd } from "./wherry";

/** The rows of the list: name, kind, columns, primary key, access. */
async function listOf(page: Page): Promise<string[][]> {
  await expect(page.getByRole("table", { name: "Tables and views" })).toBeVisible();
  return page
    .getByRole("row")
    .filter({ has: page.getByRole("rowheader") })
    .evaluateAll((rows) =>
      rows.map((row) => [...row.children].map((cell) => (cell.querySelector("a") ?? cell).textContent ?? "")),
    );
}

test("service_role sees every table, with its kind, columns and key", async ({ page, films }) => {
  await signIn(page, films);
  expect(await listOf(page)).toEqual([
    ["catalogue", "View", "5", "none", "read and write"],
    ["film_genres", "Table", "2", "film_id, genre_id", "read and write"],
    ["film_ratings", "View", "5", "none", "read"],
    ["films", "Table", "12", "id", "read and write"],
    ["films_search", "Virtual table", "2", "none", "read and write"],
    ["genres", "Table", "2", "id", "read and write"],
    ["list_items", "Table", "4", "list_id, film_id", "read and write"],
    ["lists", "Table", "4", "id", "read and write"],
    ["people", "Table", "5", "id", "read and write"],
    ["reviews", "Table", "6", "id", "read and write"],
    ["roles", "Table", "4", "film_id, person_id", "read and write"],
    ["studios", "Table", "4", "id", "read and write"],
  ]);
});

test("anon sees what the policies let it see", async ({ page, films }) => {
  await signIn(page, films, "anon");
  const names = (await listOf(page)).map(([name, , , , access]) => [name, access]);
  expect(names).toEqual([
    ["catalogue", "read"],
    ["film_genres", "read"],
    ["film_ratings", "read"],
    ["films", "read"],
    ["films_search", "read"],
    ["genres", "read"],
    ["people", "read"],
    ["reviews", "read"],
    ["roles", "read"],
    ["studios", "read"],
  ]);
});

test("the search finds tables and columns, and is still there after a visit", async ({ page, films }) => {
  await signIn(page, films);
  await page.getByLabel("Search tables").fill("film title");
  await page.getByLabel("Kind").selectOption("Views");
  await expect(page).toHaveURL(/\?search=film\+title&kind=view$/);
  expect((await listOf(page)).map(([name]) => name)).toEqual(["film_ratings"]);
  await expect(page.getByRole("search").getByRole("status")).toHaveText("1 of 12");
  await page.getByRole("link", { name: "film_ratings" }).click();
  await expect(page.getByRole("heading", { name: "film_ratings" })).toBeVisible();
  await page.goBack();
  await expect(page.getByLabel("Search tables")).toHaveValue("film title");
  await page.getByLabel("Search tables").fill("no such thing");
  await expect(page.getByText("Nothing has that name")).toBeVisible();
  await page.getByRole("button", { name: "Show all" }).click();
  expect(await listOf(page)).toHaveLength(12);
});

test("a role that may see nothing is told what to do", async ({ page, odd }) => {
  await signIn(page, odd, "anon");
  await expect(page.getByText("The role anon may not read any table")).toBeVisible();
  await expect(page.getByText("GRANT SELECT ON films TO anon;")).toBeVisible();
});

test("a table that another program makes is there after a refresh", async ({ page }) => {
  const server = await serveOdd();
  await signIn(page, server);
  server.run("CREATE TABLE brand_new (a, b, c)");
  await page.getByRole("button", { name: "Refresh" }).click();
  await expect(page.getByRole("row", { name: /brand_new/ })).toContainText("3");
  await server.stop();
});

test("a server that is gone is told, and found again", async ({ page, complaints }) => {
  const server = await serveOdd();
  await signIn(page, server);
  await page.route("**/api/**", (route) => route.abort());
  await page.getByRole("button", { name: "Refresh" }).click();
  await expect(alertOf(page)).toContainText("The server did not answer.", { timeout: 15_000 });
  expect(new Set(complaints.splice(0))).toEqual(new Set(["Failed to load resource: net::ERR_FAILED"]));
  await page.unroute("**/api/**");
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(alertOf(page)).toBeHidden();
  expect(await listOf(page)).toHaveLength(8);
  await server.stop();
});

test("a thousand tables are listed and searched", async ({ page }) => {
  const server = await serveOdd();
  const tables = Array.from({ length: 1000 }, (_, number) => `CREATE TABLE t${number} (id INTEGER PRIMARY KEY, v);`);
  server.run(`BEGIN; ${tables.join("\n")} COMMIT;`);
  await signIn(page, server);
  await expect(page.getByRole("search").getByRole("status")).toHaveText("1,008 tables and views", { timeout: 30_000 });
  await page.getByLabel("Search tables").fill("t777");
  expect((await listOf(page)).map(([name]) => name)).toEqual(["t777"]);
  await server.stop();
});
