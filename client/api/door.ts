/** The one door to the server: every request of the client goes through `ask`. */
import { ApiError, errorOf, unanswered } from "./api-error";
import { type Json, parseJson } from "./json";
import { currentSession, endSession } from "./token";

export type Question = {
  method?: "GET" | "POST" | "HEAD";
  headers?: Record<string, string>;
  body?: string;
  signal?: AbortSignal | undefined;
  /** The token to ask with; without it, that of whoever is signed in. Null asks as nobody. */
  token?: string | null;
};

export type Answer = { status: number; headers: Headers; body: Json };

const PATIENCE = 60_000; // more than a statement may take (WHERRY_STATEMENT_TIMEOUT)

/**
 * Ask the server, at a path of this origin; throws an ApiError where it refuses or does not answer.
 *
 * A token that it no longer accepts ends the session. What an aborted `signal` throws is passed on.
 */
export async function ask(path: string, { token, headers, signal, ...rest }: Question = {}): Promise<Answer> {
  const bearer = token === undefined ? currentSession().session?.token : token;
  const response = await send(path, {
    ...rest,
    headers: { Accept: "application/json", ...headers, ...(bearer ? { Authorization: `Bearer ${bearer}` } : {}) },
    signal: within(PATIENCE, signal),
    // Rows belong to a role: no cache of the browser's may give them to whoever signs in next.
    cache: "no-store",
    credentials: "omit",
    redirect: "error",
  });
  if (!response.ok) {
    const error = errorOf(response.status, response.body);
    if (error.refusesToken && bearer === currentSession().session?.token) {
      endSession(whyEnded(error));
    }
    throw error;
  }
  return { status: response.status, headers: response.headers, body: read(response.status, response.body) };
}

async function send(path: string, init: RequestInit) {
  try {
    const response = await fetch(path, init);
    return { ok: response.ok, status: response.status, headers: response.headers, body: await response.text() };
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") {
      throw cause;
    }
    throw unanswered(cause);
  }
}

function within(patience: number, signal?: AbortSignal): AbortSignal {
  const timeout = AbortSignal.timeout(patience);
  return signal ? AbortSignal.any([signal, timeout]) : timeout;
}

function read(status: number, body: string): Json {
  if (body === "") {
    return null;
  }
  try {
    return parseJson(body);
  } catch (cause) {
    throw new ApiError(
      status,
      { message: "The server's answer is no JSON", hint: "Does something else answer at this address?" },
      { cause },
    );
  }
}

function whyEnded({ code }: ApiError): string {
  return code === "PGRST303"
    ? "Your key has expired. Sign in again to go on."
    : "The server no longer accepts your key. Sign in again to go on.";
}
