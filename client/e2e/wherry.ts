/** A real `wherry serve` for the tests, with Studio at `/`, on a database of its own. */
import { execFileSync, spawn } from "node:child_process";
import { createHmac } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const CLIENT = join(import.meta.dirname, "..");
const BIN = process.env.WHERRY_BIN ?? join(CLIENT, "../.venv/bin");
const SECRET = "the secret of the tests, which nobody else knows";

export type Wherry = {
  url: string;
  /** The file that is served. */
  database: string;
  /** Make a token of a role, for an hour unless `claims` say otherwise. */
  token: (role: string, claims?: object) => string;
  /** Make a one-time link. */
  link: () => string;
  /** Run SQL in the served file, as another process would. */
  run: (sql: string) => void;
  stop: () => Promise<void>;
};

/** Serve the demonstration's library of films. */
export function serveFilms(): Promise<Wherry> {
  return serve((database) => wherry(["demo", database]));
}

/** Serve what e2e/odd.sql makes: odd names and odd values. */
export function serveOdd(): Promise<Wherry> {
  return serve((database) => sqlite(database, readFileSync(join(import.meta.dirname, "odd.sql"), "utf8")));
}

const environment = {
  ...process.env,
  JWT_SECRET: SECRET,
  WHERRY_STUDIO: process.env.WHERRY_STUDIO ?? join(CLIENT, "out"),
  LOG_LEVEL: "warn",
  PYTHONUNBUFFERED: "1",
};

async function serve(make: (database: string) => void): Promise<Wherry> {
  const folder = mkdtempSync(join(tmpdir(), "studio-e2e-"));
  const database = join(folder, "served.db");
  make(database);
  const process_ = spawn(join(BIN, "wherry"), ["serve", database, "--port", "0"], {
    env: environment,
    stdio: ["ignore", "inherit", "pipe"], // the log, and what is said to a person
  });
  const ended = new Promise<void>((resolve) => process_.once("exit", () => resolve()));
  const url = await greeting(process_.stderr);
  return {
    url,
    database,
    token: (role, claims = {}) => sign({ role, exp: Math.floor(Date.now() / 1000) + 3600, ...claims }),
    link: () => wherry(["link", database, "--url", url]).trim().split(/\s/).at(-1) ?? "",
    run: (sql) => sqlite(database, sql),
    stop: async () => {
      process_.kill("SIGTERM");
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}

/** Wait for the line that says where the server is. */
function greeting(output: NodeJS.ReadableStream): Promise<string> {
  const said: string[] = [];
  return new Promise((resolve, reject) => {
    const lines = createInterface({ input: output });
    lines.on("line", (line) => {
      said.push(line);
      const [, url] = / on (http:\/\/\S+)/.exec(line) ?? [];
      if (url) {
        resolve(url);
      }
    });
    lines.on("close", () => reject(new Error(`wherry serve ended: ${said.join(" ")}`)));
  });
}

function wherry(words: string[]): string {
  return execFileSync(join(BIN, "wherry"), words, { env: environment, encoding: "utf8" });
}

function sqlite(database: string, sql: string): void {
  const script = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.executescript(sys.stdin.read()); c.close()";
  execFileSync(process.env.PYTHON ?? "python3", ["-c", script, database], { input: sql });
}

/** Sign a JSON Web Token with HS256 (RFC 7515). */
function sign(claims: object): string {
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString("base64url");
  const signed = `${encode({ alg: "HS256", typ: "JWT" })}.${encode(claims)}`;
  return `${signed}.${createHmac("sha256", SECRET).update(signed).digest("base64url")}`;
}

/** Write policies beside a served file. */
export function writePolicies({ database }: Wherry, text: string): void {
  writeFileSync(join(database, "../policies.sql"), text);
}
