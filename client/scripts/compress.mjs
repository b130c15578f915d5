/** Brotli and gzip beside every text file, made once and as small as they get, so that no server has to. */
import { readFile, writeFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { filesBelow } from "./files.mjs";

const TEXT = new Set([".html", ".js", ".css", ".json", ".svg", ".txt", ".xml", ".ico", ".webmanifest"]);
const LEAST = 1024; // below it the headers of a response are most of it

const toBrotli = promisify(brotliCompress);
const toGzip = promisify(gzip);

/**
 * Write `.br` and `.gz` beside each text file of at least 1 KiB below `folder`, where they are smaller than the file.
 * Returns how many files were looked at, and the bytes of all of them: raw, and with each encoding.
 * @param {string} folder
 */
export async function compressFolder(folder) {
  const total = { files: 0, raw: 0, br: 0, gz: 0 };
  for (const path of filesBelow(folder)) {
    const text = await readFile(join(folder, path));
    if (!TEXT.has(extname(path)) || path.startsWith(".") || text.length < LEAST) {
      continue;
    }
    const [br, gz] = await Promise.all([
      toBrotli(text, {
        params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: text.length },
      }),
      toGzip(text, { level: 9 }),
    ]);
    for (const [suffix, packed] of /** @type {const} */ ([
      [".br", br],
      [".gz", gz],
    ])) {
      if (packed.length < text.length) {
        await writeFile(join(folder, path + suffix), packed);
      }
    }
    total.files += 1;
    total.raw += text.length;
    total.br += Math.min(br.length, text.length);
    total.gz += Math.min(gz.length, text.length);
  }
  return total;
}
