/**
 * Which inline scripts each page runs, as hashes for its Content-Security-Policy.
 *
 * Pages of a static export are the same for everybody, so a nonce for each request is not to be had; a hash of each
 * script's exact text (https://www.w3.org/TR/CSP3/#match-element-to-source-list) allows those scripts and no other.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { filesBelow } from "./files.mjs";

// Text of a script ends at the first `</script`, whatever stands before it (HTML, 13.2.5.4: script data state).
const SCRIPT = /<script\b([^>]*)>([\s\S]*?)<\/script/gi;

/**
 * Return the hashes of a page's inline scripts, each once, in the order of the page.
 * @param {string} html
 * @returns {string[]}
 */
export function scriptHashes(html) {
  const hashes = new Set();
  for (const [, attributes = "", text = ""] of html.matchAll(SCRIPT)) {
    if (!/(^|\s)src\s*=/i.test(attributes)) {
      hashes.add(`sha256-${createHash("sha256").update(text).digest("base64")}`);
    }
  }
  return [...hashes];
}

/**
 * Return the hashes of every page below `folder`: `{"/health/index.html": ["sha256-…"]}`.
 * @param {string} folder
 * @returns {Promise<Record<string, string[]>>}
 */
export async function inlineScripts(folder) {
  const pages = filesBelow(folder).filter((path) => path.endsWith(".html"));
  const hashes = pages.map(async (path) => [`/${path}`, scriptHashes(await readFile(join(folder, path), "utf8"))]);
  return Object.fromEntries(await Promise.all(hashes));
}

/**
 * Return nginx' map from a page's address to what `script-src` gets added for it: `map $uri $csp_inline {…}`.
 * @param {Record<string, string[]>} pages
 */
export function nginxMap(pages) {
  const lines = Object.entries(pages).map(
    ([page, hashes]) => `    "${page}" "${hashes.map((hash) => `'${hash}'`).join(" ")}";`,
  );
  return ["map $uri $csp_inline {", '    default "";', ...lines, "}", ""].join("\n");
}
