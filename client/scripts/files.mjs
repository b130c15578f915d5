/** The files of a folder. */
import { readdirSync } from "node:fs";
import { join, relative, sep } from "node:path";

/**
 * Return the paths of all files below `folder`, with slashes and sorted, so that what is made of them is always the same.
 * @param {string} folder
 * @returns {string[]}
 */
export function filesBelow(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .sort();
}
