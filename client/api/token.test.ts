// @vitest-environment jsdom
import { beforeEach, expect, test, vi } from "vitest";

/** A token with these claims; nobody here looks at its signature. */
function tokenWith(claims: object): string {
  const bytes = new TextEncoder().encode(JSON.stringify(claims));
  const payload = btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
  return `eyJhbGciOiJIUzI1NiJ9.${payload}.c2ln`;
}

/** The module as it is after a reload of the page: only the tab's storage is left of before. */
async function reloaded() {
  vi.resetModules();
  return import("./token");
}

beforeEach(() => sessionStorage.clear());

test("nobody is signed in at first", async () => {
  const { currentSession } = await reloaded();
  expect(currentSession()).toStrictEqual({ session: null, ended: null });
});

test("a token tells its role and its end, and survives a reload", async () => {
  const token = tokenWith({ role: "authenticated", exp: 1_800_000_000, name: "Łucja" });
  (await reloaded()).startSession(token);
  const { currentSession } = await reloaded();
  const session = { token, role: "authenticated", expiresAt: 1_800_000_000_000 };
  expect(currentSession()).toStrictEqual({ session, ended: null });
});

test.each(["sb_publishable_abc", "e30.e30.e30", "a.%%%.c", tokenWith({ role: 7, exp: "soon" })])(
  "%s names no role, so it stands for anon",
  async (token) => {
    const { startSession, currentSession } = await reloaded();
    startSession(token);
    expect(currentSession().session).toStrictEqual({ token, role: "anon", expiresAt: null });
  },
);

test("who listens hears of the beginning and the end, and why", async () => {
  const { startSession, endSession, onSessionChange, currentSession } = await reloaded();
  const heard: unknown[] = [];
  const stop = onSessionChange(() => heard.push([currentSession().session?.role ?? null, currentSession().ended]));
  startSession(tokenWith({ role: "anon" }));
  endSession("Your key has expired.");
  stop();
  startSession(tokenWith({ role: "anon" }));
  expect(heard).toStrictEqual([
    ["anon", null],
    [null, "Your key has expired."],
  ]);
});

test("after signing out nothing of the token is left", async () => {
  const { startSession, endSession } = await reloaded();
  startSession(tokenWith({ role: "anon" }));
  endSession();
  expect(sessionStorage.length).toBe(0);
});

test("a browser that forbids its storage still signs in, until the reload", async () => {
  const forbidden = () => {
    throw new DOMException("denied", "SecurityError");
  };
  vi.stubGlobal("sessionStorage", { getItem: forbidden, setItem: forbidden, removeItem: forbidden });
  const { startSession, currentSession } = await reloaded();
  startSession(tokenWith({ role: "anon" }));
  expect(currentSession().session?.role).toBe("anon");
});
