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

const SCREENS = { desk: { width: 1280, height: 800 }, phone: { width: 360, height: 740 } };

for (const [name, visit] of Object.entries(PAGES)) {
  test(`${name}, in light and dark, on a desk and on a phone`, async ({ page, films }) => {
    await page.emulateMedia({ reducedMotion: "reduce" });
    await visit(page, films);
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      for (const [screen, size] of Object.entries(SCREENS)) {
        await page.setViewportSize(size);
        const { violations } = await new AxeBuilder({ page }).analyze();
        const found = violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]);
        expect(found, `${colorScheme}, ${screen}`).toEqual([]);
        const tooWide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        expect(tooWide, `${colorScheme}, ${screen}`).toBeLessThanOrEqual(0);
      }
    }
  });
}
