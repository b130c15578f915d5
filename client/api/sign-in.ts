/** Keys and one-time links, turned into tokens that the server accepts. */
import { ApiError } from "./api-error";
import { loadTables } from "./description";
import { ask } from "./door";
import { asObject, asText } from "./json";

/** Ask the API whether it accepts a key, and return it without what was copied along with it. Throws an ApiError. */
export async function verifyKey(pasted: string): Promise<string> {
  const key = keyIn(pasted);
  if (key === "") {
    throw new ApiError(0, { message: "Paste a key first", hint: "The command wherry keys prints them." });
  }
  if (/[^\x21-\x7e]/.test(key)) {
    throw new ApiError(0, {
      message: "That is no key: a key is one long word of letters, digits and dots",
      hint: "The command wherry keys prints them.",
    });
  }
  await loadTables({ token: key });
  return key;
}

/** Take the key out of what was pasted along with it: `anon: eyJ…`, `Bearer eyJ…`, `ANON_KEY="eyJ…"`. */
export function keyIn(pasted: string): string {
  const tokens = new Set(pasted.match(/eyJ[\w-]*\.[\w-]+\.[\w-]*/g));
  if (tokens.size > 1) {
    throw new ApiError(0, { message: "That holds several keys", hint: "Paste only the one to sign in with." });
  }
  const [token] = tokens;
  return token ?? pasted.trim().replace(/^Bearer\s+/i, "");
}

/** Trade the code of a one-time link for a token. Throws an ApiError. */
export async function redeemCode(code: string): Promise<string> {
  const { status, body } = await ask("/api/admin/v1/sign-in", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ code }),
    token: null,
  });
  const token = asText(asObject(body).access_token);
  if (!token) {
    throw new ApiError(status, { message: "The server's answer holds no token", hint: "Sign in with a key instead." });
  }
  return token;
}
