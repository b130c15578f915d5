/** What every test stands on: a server of the worker's, a page that must not complain, and the way in. */
import { test as base, expect, type Locator, type Page } from "@playwright/test";
import { serveFilms, serveOdd, type Wherry } from "./wherry";

type Worker = { films: Wherry; odd: Wherry };
type Test = {
  /** What the browser's console said, and scripts threw; checked after each test. */
  complaints: string[];
};

export const test = base.extend<Test, Worker>({
  films: [
    // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the names of what is needed here
    async ({}, use) => {
      const films = await serveFilms();
      await use(films);
      await films.stop();
    },
    { scope: "worker" },
  ],
  odd: [
    // biome-ignore lint/correctness/noEmptyPattern: as above
    async ({}, use) => {
      const odd = await serveOdd();
      await use(odd);
      await odd.stop();
    },
    { scope: "worker" },
  ],
  complaints: [
    async ({ page }, use) => {
      const complaints: string[] = [];
      page.on("pageerror", (error) => complaints.push(String(error)));
      page.on("console", (message) => {
        // A refusal of the API is the page's to tell; whatever else is an error or a warning must not be.
        const refusal = /^Failed to load resource: the server responded with a status of \d+/.test(message.text());
        if (["error", "warning"].includes(message.type()) && !refusal) {
          complaints.push(message.text());
        }
      });
      await use(complaints);
      expect(complaints).toEqual([]);
    },
    { auto: true },
  ],
});

export { expect, type Page, type Wherry };

/** Be signed in as a role, and stand before the tables. How people sign in, e2e/sign-in.spec.ts tries. */
export async function signIn(page: Page, server: Wherry, role = "service_role"): Promise<void> {
  await page.goto(`${server.url}/healthz`);
  await page.evaluate((token) => sessionStorage.setItem("wherry.token", token), server.token(role));
  await page.goto(`${server.url}/`);
}

/** Enter a key on the sign-in page. */
export async function enterKey(page: Page, key: string): Promise<void> {
  await page.getByLabel("Key", { exact: true }).fill(key);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** The page's own alert; Next announces the names of pages by another. */
export function alertOf(page: Page): Locator {
  return page.getByRole("alert").and(page.locator(":not(#__next-route-announcer__)"));
}

/** Open a table's page. */
export async function openTable(page: Page, server: Wherry, name: string, search = ""): Promise<void> {
  await page.goto(`${server.url}/tables/?${new URLSearchParams({ name })}${search}`);
}

/** Read the grid: the names of its columns, and the text of its cells without the row's number. */
export async function gridOf(page: Page): Promise<{ columns: string[]; rows: string[][] }> {
  const grid = page.getByRole("table");
  await expect(grid).toBeVisible();
  await expect(page.getByRole("region", { name: /^Rows of/ })).toHaveAttribute("aria-busy", "false");
  return {
    columns: await grid.getByRole("columnheader").getByRole("button").allInnerTexts(),
    rows: await grid
      .getByRole("row")
      .filter({ has: page.getByRole("cell") })
      .evaluateAll((rows) => rows.map((row) => [...row.querySelectorAll("td")].map((cell) => cell.textContent))),
  };
}
