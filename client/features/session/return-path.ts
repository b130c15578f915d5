/** Where to go after signing in: the page that was wanted, as long as it is one of ours. */

const SIGN_IN = "/sign-in/";

/** Return the address of the sign-in page that comes back to `wanted`, a path with its search. */
export function signInAddress(wanted: string): string {
  return wanted === "/" ? SIGN_IN : `${SIGN_IN}?${new URLSearchParams({ next: wanted })}`;
}

/**
 * Return the path that `next` asks for if it is one of this origin, else the start page.
 *
 * It comes from an address that anybody may have written, so what leads elsewhere (`//example.org`, `/\example.org`,
 * `javascript:…`) is not followed: the browser's own parser says where a path leads.
 */
export function returnPath(next: string | null, origin: string): string {
  if (next === null || !URL.canParse(next, origin)) {
    return "/";
  }
  const { origin: target, pathname, search } = new URL(next, origin);
  const ours = next.startsWith("/") && target === origin && !pathname.startsWith("//") && pathname !== SIGN_IN;
  return ours ? pathname + search : "/";
}

/** Return the code of a one-time link from the fragment of its address, null where there is none. */
export function codeIn(hash: string): string | null {
  return new URLSearchParams(hash.replace(/^#/, "")).get("code") || null;
}
