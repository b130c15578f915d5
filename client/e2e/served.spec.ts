/** The export is served so that no script runs but its own, and nothing is fetched from elsewhere. */
import { expect, openTable, signIn, test } from "./studio";

for (const path of ["/", "/sign-in/", "/tables/?name=films", "/health/", "/nowhere/"]) {
  test(`${path} allows no inline script but its own`, async ({ page, films, complaints }) => {
    const response = await page.goto(films.url + path);
    const policy = response?.headers()["content-security-policy"] ?? "";
    const scripts = policy.split("; ").find((directive) => directive.startsWith("script-src "));
    expect(scripts).toMatch(/^script-src 'self'( 'sha256-[\w+/]{43}=')+$/);
    await page.evaluate(() => {
      const script = document.createElement("script");
      script.textContent = "window.injected = true";
      document.body.append(script);
    });
    expect(await page.evaluate(() => "injected" in window)).toBe(false);
    expect(complaints.splice(0)).toEqual([
      expect.stringContaining("violates the following Content Security Policy directive"),
    ]);
  });
}

test("nothing is asked of another origin, and no table's page is fetched before it is wanted", async ({
  page,
  films,
}) => {
  const asked: URL[] = [];
  page.on("request", (request) => asked.push(new URL(request.url())));
  await signIn(page, films);
  await openTable(page, films, "films");
  await expect(page.getByRole("table")).toBeVisible();
  await page.getByRole("button", { name: "Next page" }).click();
  await expect(page).toHaveURL(/offset=50/);
  expect(asked.filter(({ origin }) => origin !== films.url).map(String)).toEqual([]);
  expect(
    asked.filter(({ pathname, search }) => pathname.startsWith("/tables/") && search.includes("_rsc")),
  ).toHaveLength(0);
});

test("pages come packed and assets are kept for ever", async ({ page, films }) => {
  const kept: Record<string, string | undefined> = {};
  page.on("response", (response) => {
    const { pathname } = new URL(response.url());
    if (pathname.startsWith("/_next/static/")) {
      kept[pathname] = response.headers()["cache-control"];
    }
  });
  const response = await page.goto(`${films.url}/sign-in/`);
  await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
  expect([response?.headers()["content-encoding"], response?.headers()["cache-control"]]).toEqual([
    expect.stringMatching(/^(br|gzip)$/),
    "no-cache",
  ]);
  expect(new Set(Object.values(kept))).toEqual(new Set(["public, max-age=31536000, immutable"]));
});
