/**
 * The token of whoever is signed in: kept for this tab (sessionStorage), gone when the tab is closed.
 *
 * What a token says of itself is read for showing it only. Whether it holds, the server decides with each request.
 */
import { asObject, asText, parseJson } from "./json";

export type Session = {
  token: string;
  /** The role that the token names; a key that is no JSON Web Token stands for the anonymous role. */
  role: string;
  /** When it ends, in milliseconds since 1970; null where it says nothing of it. */
  expiresAt: number | null;
};

/** Who is signed in, and if nobody is any longer, why in a sentence. */
export type SessionState = { session: Session | null; ended: string | null };

const TOKEN = "wherry.token";
const NOBODY: SessionState = { session: null, ended: null };

let state: SessionState | undefined;
const listeners = new Set<() => void>();

export function currentSession(): SessionState {
  if (state === undefined) {
    const token = stored();
    state = token ? { session: sessionOf(token), ended: null } : NOBODY;
  }
  return state;
}

/** Call `listener` whenever who is signed in changes; returns what stops that. */
export function onSessionChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function startSession(token: string): void {
  store(token);
  change({ session: sessionOf(token), ended: null });
}

/** Forget the token; `why` is told to whoever is asked to sign in again. */
export function endSession(why: string | null = null): void {
  store(null);
  change({ session: null, ended: why });
}

function change(next: SessionState): void {
  state = next;
  for (const listener of listeners) {
    listener();
  }
}

function sessionOf(token: string): Session {
  const claims = claimsOf(token);
  const { exp } = claims;
  return { token, role: asText(claims.role) ?? "anon", expiresAt: typeof exp === "number" ? exp * 1000 : null };
}

/** Read the claims of a JSON Web Token (RFC 7519), unverified; none where it is no such token. */
function claimsOf(token: string) {
  try {
    const payload = (token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    const bytes = Uint8Array.from(atob(payload), (character) => character.charCodeAt(0));
    return asObject(parseJson(new TextDecoder().decode(bytes)));
  } catch {
    return {};
  }
}

// A browser may forbid the storage; then the token lives as long as the page.
function stored(): string | null {
  try {
    return sessionStorage.getItem(TOKEN);
  } catch {
    return null;
  }
}

function store(token: string | null): void {
  try {
    if (token === null) {
      sessionStorage.removeItem(TOKEN);
    } else {
      sessionStorage.setItem(TOKEN, token);
    }
  } catch {
    // as above
  }
}
