/** Somebody looks whether everything is well. */
import { hostname } from "node:os";
import { expect, type Page, signIn, test } from "./studio";
import { serveFilms, writePolicies } from "./wherry";

/** The facts of a card, by their names. */
async function factsOf(page: Page, card: string): Promise<Record<string, string>> {
  const facts = page.getByRole("region", { name: card, exact: true }).locator("dl > div");
  await expect(facts.first()).toBeVisible();
  return Object.fromEntries(
    await facts.evaluateAll((all) => all.map((fact) => [...fact.children].map((part) => part.textContent ?? ""))),
  );
}

test("service_role sees front, server, database and policies", async ({ page, films }) => {
  await signIn(page, films);
  await page.getByRole("link", { name: "Health" }).click();
  await expect(page.getByRole("heading", { name: "Health" })).toBeVisible();
  expect(await factsOf(page, "Front")).toEqual({ Address: films.url, Answered: expect.stringMatching(/^in \d+ ms$/) });
  expect(await factsOf(page, "Server")).toEqual({
    Replica: hostname(),
    Wherry: expect.stringMatching(/^\d+\.\d+\.\d+/),
    SQLite: expect.stringMatching(/^3\.\d+\.\d+/),
    "Running for": expect.stringMatching(/second|minute/),
    Started: expect.stringMatching(/^\d+ \w+ \d{4}, \d\d:\d\d:\d\d$/),
    Processes: "1",
  });
  expect(await factsOf(page, "Database")).toEqual({
    File: "served.db",
    Size: expect.stringMatching(/^[\d.]+ kB$/),
    "Write-ahead log": expect.stringMatching(/^[\d.]+ k?B$/),
    "Journal mode": "wal",
    Access: "read and write",
    Schema: expect.stringMatching(/^version \d+$/),
    Holds: "10 tables, 2 views",
  });
  expect(await factsOf(page, "Policies")).toEqual({ File: "policies.sql", "In force": "yes" });
  await expect(page.getByRole("status").filter({ hasText: "ok" })).toHaveText(["ok", "ok", "ok"]);
});

test("anon is told that it may not see the server, and still sees the front", async ({ page, films }) => {
  await signIn(page, films, "anon");
  await page.goto(`${films.url}/health/`);
  await expect(page.getByText("The role anon may not see how the server is")).toBeVisible();
  await expect(page.getByRole("region", { name: "Front" })).toContainText("ok");
});

test("somebody who is signed in is told so as well", async ({ page, films }) => {
  await signIn(page, films, "authenticated");
  await page.goto(`${films.url}/health/`);
  await expect(page.getByText("The role authenticated may not see how the server is")).toBeVisible();
});

test("policies that cannot be used are told, with the reason", async ({ page }) => {
  const server = await serveFilms();
  await signIn(page, server);
  writePolicies(server, "GRANT SELECT ON nowhere TO anon;\n");
  await page.goto(`${server.url}/health/`);
  // At the latest when it asks again.
  const policies = page.getByRole("region", { name: "Policies" });
  await expect(policies).toContainText("there is no table 'nowhere'", { timeout: 15_000 });
  await server.stop();
});

test("it asks again by itself, and not while nobody looks", async ({ page, films }) => {
  await page.clock.install();
  await signIn(page, films);
  await page.goto(`${films.url}/health/`);
  await factsOf(page, "Server");
  let asked = 0;
  page.on("request", (request) => {
    asked += request.url().endsWith("/api/admin/v1/health") ? 1 : 0;
  });
  const answered = page.waitForResponse("**/api/admin/v1/health");
  await page.clock.runFor(10_500);
  await answered;
  expect(asked).toBe(1);
  await page.evaluate(() => {
    Object.defineProperty(document, "visibilityState", { value: "hidden" });
    document.dispatchEvent(new Event("visibilitychange"));
  });
  await page.clock.runFor(60_000);
  expect(asked).toBe(1);
});

test("a server that is gone is told", async ({ page, films }) => {
  await signIn(page, films);
  await page.route("**/api/admin/**", (route) => route.fulfill({ status: 502, body: "<html>Bad Gateway</html>" }));
  await page.goto(`${films.url}/health/`);
  await expect(page.getByRole("region", { name: "Server" })).toContainText(
    "The server is not reachable behind its proxy.",
    { timeout: 15_000 },
  );
});
