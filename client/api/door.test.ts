import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ApiError } from "./api-error";
import { ask } from "./door";
import { currentSession, endSession, startSession } from "./token";

const KEY = "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoiYW5vbiJ9.c2ln";
let server: Server;
let answer: (request: IncomingMessage, response: ServerResponse) => void;

beforeEach(async () => {
  server = createServer((request, response) => answer(request, response));
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const real = fetch;
  // A page's own origin, which Node does not have.
  vi.stubGlobal("fetch", (path: string, init: RequestInit) => real(origin + path, init));
  endSession();
});

afterEach(() => new Promise((closed) => server.close(closed)));

const json = (status: number, body: unknown) => (_: IncomingMessage, response: ServerResponse) =>
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));

async function errorFrom(asked: Promise<unknown>): Promise<ApiError> {
  const outcome = await asked.catch((error: unknown) => error);
  expect(outcome).toBeInstanceOf(ApiError);
  return outcome as ApiError;
}

test("the token of whoever is signed in goes with every request", async () => {
  startSession(KEY);
  const seen: unknown[] = [];
  answer = (request, response) => {
    seen.push([request.method, request.url, request.headers.authorization]);
    response.end('{"n":9223372036854775807}');
  };
  const { status, body } = await ask("/api/rest/v1/films?limit=1");
  await ask("/healthz", { token: null });
  expect({ status, body }).toStrictEqual({ status: 200, body: { n: 9223372036854775807n } });
  expect(seen).toStrictEqual([
    ["GET", "/api/rest/v1/films?limit=1", `Bearer ${KEY}`],
    ["GET", "/healthz", undefined],
  ]);
});

test.each([
  ["PGRST303", "Your key has expired. Sign in again to go on."],
  ["PGRST301", "The server no longer accepts your key. Sign in again to go on."],
])("a token that is refused with %s ends the session and says why", async (code, why) => {
  startSession(KEY);
  answer = json(401, { code, message: "JWT expired" });
  await errorFrom(ask("/api/rest/v1/films"));
  expect(currentSession()).toStrictEqual({ session: null, ended: why });
});

test("what the role may not see ends no session", async () => {
  startSession(KEY);
  answer = json(401, { code: "42501", message: "permission denied for table lists" });
  const error = await errorFrom(ask("/api/rest/v1/lists"));
  expect([error.message, error.forbids]).toStrictEqual(["permission denied for table lists", true]);
  expect(currentSession().session?.token).toBe(KEY);
});

test("a key that is only tried does not end the session of the one before", async () => {
  startSession(KEY);
  answer = json(401, { code: "PGRST301", message: "no" });
  await errorFrom(ask("/api/rest/v1/", { token: "another" }));
  expect(currentSession().session?.token).toBe(KEY);
});

test("a page of HTML in the place of the API is told", async () => {
  answer = (_, response) => response.end("<!doctype html>");
  expect((await errorFrom(ask("/api/rest/v1/"))).message).toBe("The server's answer is no JSON");
});

test("an answer that breaks off is an error and no half result", async () => {
  answer = (_, response) => {
    response.writeHead(200, { "content-length": "100" }).write("[");
    setImmediate(() => response.destroy());
  };
  expect((await errorFrom(ask("/api/rest/v1/films"))).message).toBe("The server did not answer");
});

test("what is given up is no error of the server", async () => {
  const giveUp = new AbortController();
  answer = () => giveUp.abort();
  await expect(ask("/api/rest/v1/films", { signal: giveUp.signal })).rejects.toMatchObject({ name: "AbortError" });
});
