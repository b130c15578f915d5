/**
 * Make a static export ready to be served: `node scripts/finish.mjs [FOLDER] [MAP]`, after `next build`.
 *
 * 1. `.csp.json` in the folder, and the map for nginx, say which inline scripts each page may run.
 * 2. Every text file that is worth it gets a `.br` and a `.gz` beside it.
 *
 * The same export gives the same bytes: nothing here knows the time or draws a number.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { compressFolder } from "./compress.mjs";
import { inlineScripts, nginxMap } from "./csp.mjs";

/**
 * Finish the export in `folder`; write nginx' map to `map`.
 * @param {string} folder
 * @param {string} map
 */
export async function finish(folder, map) {
  const pages = await inlineScripts(folder);
  if (Object.keys(pages).length === 0) {
    throw new Error(`${folder} holds no page: run next build first`);
  }
  await writeFile(join(folder, ".csp.json"), `${JSON.stringify(pages, null, 1)}\n`);
  await writeFile(map, nginxMap(pages));
  return { pages: Object.keys(pages).length, ...(await compressFolder(folder)) };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [folder = "out", map = "csp-map.conf"] = process.argv.slice(2);
  const { pages, files, raw, br, gz } = await finish(folder, map);
  const kilobytes = (/** @type {number} */ bytes) => `${Math.round(bytes / 1000)} kB`;
  console.log(
    `${folder}: ${pages} pages; ${files} text files, ${kilobytes(raw)}: ${kilobytes(br)} in brotli, ${kilobytes(gz)} in gzip`,
  );
}
