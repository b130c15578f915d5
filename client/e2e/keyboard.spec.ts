/** Somebody has no mouse, or does not see. */
import { expect, openTable, signIn, test } from "./studio";

test("everything from signing in to a page of rows is done by keyboard", async ({ page, films }) => {
  await page.goto(`${films.url}/sign-in/`);
  await page.keyboard.press("Tab");
  await expect(page.getByLabel("Key", { exact: true })).toBeFocused();
  await page.keyboard.insertText(films.token("service_role"));
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Tables" })).toBeVisible();
  await page.getByLabel("Search tables").focus();
  await page.keyboard.type("genres");
  await expect(page.getByLabel("Search tables")).toHaveValue("genres");
  await page.getByRole("link", { name: "genres", exact: true }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("genres");
  await expect(page.getByRole("main")).toBeFocused();
});

test("the first stop of every page leads past the navigation", async ({ page, films }) => {
  await signIn(page, films);
  await page.goto(`${films.url}/health/`);
  await expect(page.getByRole("heading", { name: "Health" })).toBeVisible();
  await page.keyboard.press("Tab");
  await expect(page.getByRole("link", { name: "Skip to the content" })).toBeFocused();
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await expect(page.getByRole("button", { name: "Refresh" })).toBeFocused();
});

test("rows that scroll can be reached and scrolled", async ({ page, films }) => {
  await signIn(page, films);
  await openTable(page, films, "films");
  const rows = page.getByRole("region", { name: "Rows of films" });
  await rows.focus();
  await page.keyboard.press("End");
  await expect.poll(() => rows.evaluate((region) => region.scrollTop)).toBeGreaterThan(0);
});

test("what is focused is seen to be", async ({ page, films }) => {
  await signIn(page, films);
  await page.getByLabel("Search tables").focus();
  await page.keyboard.press("Shift+Tab");
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement ?? document.body).outlineStyle);
  expect(outline).toBe("solid");
});

test("whoever wants less motion gets none", async ({ browser, films }) => {
  const context = await browser.newContext({ reducedMotion: "reduce" });
  const page = await context.newPage();
  await signIn(page, films);
  const durations = await page
    .getByRole("button", { name: "Refresh" })
    .evaluate((button) => getComputedStyle(button).transitionDuration.split(", ").map(Number.parseFloat));
  expect(Math.max(...durations)).toBeLessThan(0.001);
  await context.close();
});
