import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { afterEach, beforeEach, expect, test } from "vitest";
import { buildId } from "./build-id.mjs";
import { scriptHashes } from "./csp.mjs";
import { filesBelow } from "./files.mjs";
import { finish } from "./finish.mjs";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "finish-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** @param {Record<string, string>} files */
function write(files) {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

/** @param {string} text */
const hash = (text) => `sha256-${createHash("sha256").update(text).digest("base64")}`;

const PAGE = '<html><script src="/a.js"></script><script>one()</script><script type="x">two()\n</script></html>';

test("inline scripts are hashed, each once, and those with an address are not", () => {
  const html = `${PAGE}<SCRIPT >one()</SCRIPT ><script data-src="x">three()</script><script\nsrc=b.js></script><script></script>`;
  expect(scriptHashes(html)).toStrictEqual([hash("one()"), hash("two()\n"), hash("three()"), hash("")]);
});

test("every page gets its hashes, for the server and for nginx", async () => {
  write({ "out/index.html": PAGE, "out/tables/index.html": "<p>no script</p>", "out/a.js": "1" });
  await finish(join(folder, "out"), join(folder, "map.conf"));
  const hashes = [hash("one()"), hash("two()\n")];
  expect(JSON.parse(readFileSync(join(folder, "out/.csp.json"), "utf8"))).toStrictEqual({
    "/index.html": hashes,
    "/tables/index.html": [],
  });
  expect(readFileSync(join(folder, "map.conf"), "utf8")).toBe(
    `map $uri $csp_inline {\n    default "";\n    "/index.html" "'${hashes.join("' '")}'";\n    "/tables/index.html" "";\n}\n`,
  );
});

test("large texts are packed, and unpacked are what they were; the rest is left alone", async () => {
  const long = "<p>wherry</p>".repeat(100);
  write({
    "out/index.html": long,
    "out/small.html": "<p>",
    "out/a.js": "x".repeat(1024),
    "out/photo.png": "x".repeat(9999),
  });
  const { files, raw } = await finish(join(folder, "out"), join(folder, "map.conf"));
  expect({ files, raw }).toStrictEqual({ files: 2, raw: 1300 + 1024 });
  expect(filesBelow(join(folder, "out"))).toStrictEqual([
    ".csp.json",
    "a.js",
    "a.js.br",
    "a.js.gz",
    "index.html",
    "index.html.br",
    "index.html.gz",
    "photo.png",
    "small.html",
  ]);
  expect(brotliDecompressSync(readFileSync(join(folder, "out/index.html.br"))).toString()).toBe(long);
  expect(gunzipSync(readFileSync(join(folder, "out/index.html.gz"))).toString()).toBe(long);
});

test("the same export is finished into the same bytes, also a second time", async () => {
  write({ "out/index.html": PAGE.repeat(50), "out/z.css": "a{}".repeat(999) });
  const contents = () => filesBelow(folder).map((path) => [path, readFileSync(join(folder, path), "base64")]);
  await finish(join(folder, "out"), join(folder, "map.conf"));
  const first = contents();
  await finish(join(folder, "out"), join(folder, "map.conf"));
  expect(contents()).toStrictEqual(first);
});

test("a folder without pages is no export", async () => {
  write({ "out/a.js": "1" });
  await expect(finish(join(folder, "out"), join(folder, "map.conf"))).rejects.toThrow("run next build first");
});

test("a build has another name as soon as a source changes, and the same one for tests and notes", () => {
  const sources = { "next.config.ts": "", "package-lock.json": "{}", "package.json": "{}", "tsconfig.json": "{}" };
  write({ ...sources, "app/page.tsx": "1", "api/a.ts": "1", "components/a.tsx": "1", "features/a/a.tsx": "1" });
  const before = buildId(folder);
  write({ "features/a/a.test.tsx": "1", "README.md": "1" });
  expect(buildId(folder)).toBe(before);
  write({ "features/a/a.tsx": "2" });
  expect(buildId(folder)).not.toBe(before);
});
