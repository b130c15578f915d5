/** Somebody comes with a key or a link, is let in, and leaves. */
import { alertOf, enterKey, expect, signIn, test } from "./studio";

test("a key leads to the page that was wanted", async ({ page, films }) => {
  await page.goto(`${films.url}/tables/?name=genres&order=name&desc=1`);
  await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
  await enterKey(page, `service_role: ${films.token("service_role")}`);
  await expect(page).toHaveURL(`${films.url}/tables/?name=genres&order=name&desc=1`);
  await expect(page.getByRole("heading", { name: "genres" })).toBeVisible();
  await expect(page.getByText("Signed in as service_role")).toBeVisible();
});

test("a link signs in once, and its code is gone from the address", async ({ page, films }) => {
  const link = films.link();
  expect(link).toMatch(/\/sign-in\/#code=[\w-]{43}$/);
  await page.goto(link);
  await expect(page).toHaveURL(`${films.url}/`);
  await expect(page.getByText("Signed in as service_role")).toBeVisible();
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page).toHaveURL(`${films.url}/sign-in/`);
  await page.goto(link);
  await expect(alertOf(page)).toContainText("This link no longer signs in");
  await expect(page).toHaveURL(`${films.url}/sign-in/`);
  await expect(page.getByLabel("Key", { exact: true })).toBeVisible();
});

test("a link that is followed on the sign-in page signs in as well", async ({ page, films }) => {
  await page.goto(`${films.url}/sign-in/?next=${encodeURIComponent("/health/")}`);
  await page.evaluate((hash) => window.location.assign(hash), `#${films.link().split("#")[1]}`);
  await expect(page).toHaveURL(`${films.url}/health/`);
});

for (const [what, key, said] of [
  ["nothing", "", "Paste a key first."],
  ["a word", "password", "The server does not accept this key."],
  [
    "a key of another server",
    "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoic2VydmljZV9yb2xlIn0.c2ln",
    "The server does not accept this key.",
  ],
  ["a sentence", "let me in, please", "That is no key: a key is one long word of letters, digits and dots."],
] as const) {
  test(`${what} is no key, and is told so`, async ({ page, films }) => {
    await page.goto(`${films.url}/sign-in/`);
    await enterKey(page, key);
    await expect(alertOf(page).getByRole("paragraph").first()).toHaveText(said);
    await expect(page.getByLabel("Key", { exact: true })).toHaveAttribute("aria-invalid", "true");
    expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
  });
}

test("a key that has expired is told so", async ({ page, films }) => {
  await page.goto(`${films.url}/sign-in/`);
  await enterKey(page, films.token("service_role", { exp: 1_600_000_000 }));
  await expect(alertOf(page)).toContainText("This key does not hold.");
});

test("a key that expires while it is used leads back to signing in, and then to the same page", async ({
  page,
  films,
}) => {
  await page.goto(`${films.url}/sign-in/?next=${encodeURIComponent("/tables/?name=genres")}`);
  // The server allows clocks to differ by half a minute, so what is left of the time is less than nothing.
  await enterKey(page, films.token("service_role", { exp: Math.floor(Date.now() / 1000) - 27 }));
  await expect(page.getByRole("heading", { name: "genres" })).toBeVisible();
  await expect(alertOf(page)).toContainText("Your key has expired. Sign in again to go on.", {
    timeout: 15_000,
  });
  await enterKey(page, films.token("service_role"));
  await expect(page).toHaveURL(`${films.url}/tables/?name=genres`);
});

test("signing out forgets the key, and going back shows nothing", async ({ page, films }) => {
  await signIn(page, films);
  await page.getByRole("link", { name: "Health" }).click();
  await expect(page.getByRole("heading", { name: "Health" })).toBeVisible();
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
  expect(await page.evaluate(() => sessionStorage.length + localStorage.length)).toBe(0);
  await page.goBack();
  await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
});

test("an address cannot make the sign-in lead elsewhere", async ({ page, films }) => {
  await page.goto(`${films.url}/sign-in/?next=${encodeURIComponent("//example.org/")}`);
  await enterKey(page, films.token("anon"));
  await expect(page).toHaveURL(`${films.url}/`);
});

test("the key is kept for the tab only, and a reload keeps it", async ({ page, context, films }) => {
  await signIn(page, films, "anon");
  await page.reload();
  await expect(page.getByText("Signed in as anon")).toBeVisible();
  const other = await context.newPage();
  await other.goto(films.url);
  await expect(other.getByRole("heading", { name: "Sign in" })).toBeVisible();
});
