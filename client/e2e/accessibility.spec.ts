/** No page breaks a rule that a machine can check, in either colour scheme, on a desk or on a phone. */
import AxeBuilder from "@axe-core/playwright";
import { alertOf, expect, openTable, type Page, signIn, test, type Wherry } from "./studio";

type Visit = (page: Page, films: Wherry) => Promise<void>;

const PAGES: Record<string, Visit> = {
  "signing in": async (page, films) => {
    await page.goto(`${films.url}/sign-in/`);
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(alertOf(page)).toBeVisible();
  },
  "the tables": async (page, films) => {
    await signIn(page, films);
    await expect(page.getByRole("table")).toBeVisible();
  },
  "a table": async (page, films) => {
    await signIn(page, films);
    await openTable(page, films, "films", "&order=year&filter=year.gte.1950");
    await expect(page.getByRole("table")).toBeVisible();
  },
  "a row": async (page, films) => {
    await signIn(page, films);
    await openTable(page, films, "films");
    await page.getByRole("button", { name: "Show row 1", exact: true }).click();
    await expect(page.getByRole("dialog")).toBeVisible();
  },
  "an error": async (page, films) => {
    await signIn(page, films);
    await openTable(page, films, "films", "&order=titel");
    await expect(alertOf(page)).toBeVisible();
  },
  "the health": async (page, films) => {
    await signIn(page, films);
    await page.goto(`${films.url}/health/`);
    await expect(page.getByRole("region", { name: "Database" })).toBeVisible();
  },
  "a page that is not there": async (page, films) => {
    await page.goto(`${films.url}/nowhere/`);
    await expect(page.getByRole("heading", { name: "There is no such page" })).toBeVisible();
  },
};

for (const [name, visit] of Object.entries(PAGES)) {
  for (const colorScheme of ["light", "dark"] as const) {
    for (const [device, viewport] of [
      ["desk", { width: 1280, height: 800 }],
      ["phone", { width: 360, height: 740 }],
    ] as const) {
      test(`${name} in ${colorScheme} on a ${device}`, async ({ browser, films }) => {
        const context = await browser.newContext({ colorScheme, viewport, reducedMotion: "reduce" });
        const page = await context.newPage();
        await visit(page, films);
        const { violations } = await new AxeBuilder({ page }).analyze();
        expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        expect(overflow).toBeLessThanOrEqual(0);
        await context.close();
      });
    }
  }
}
