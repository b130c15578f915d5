/** The name of a build, which stands in addresses that are cached for ever: another source needs another name. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { filesBelow } from "./files.mjs";

const SOURCES = ["app", "api", "components", "features"];
const FILES = ["next.config.ts", "package-lock.json", "package.json", "tsconfig.json"];

/**
 * Return a name made of everything that `next build` reads in `folder`: the same sources have the same name everywhere.
 * @param {string} folder
 */
export function buildId(folder) {
  const hash = createHash("sha256");
  const below = SOURCES.flatMap((name) => filesBelow(join(folder, name)).map((path) => `${name}/${path}`));
  for (const path of [...FILES, ...below.filter((path) => !path.includes(".test."))]) {
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(folder, path)))
      .update("\0");
  }
  return hash.digest("hex").slice(0, 16);
}
