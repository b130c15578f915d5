/** How the stack is: what answers first (nginx, or the server itself), and the server behind it. */
import { queryOptions } from "@tanstack/react-query";
import { ApiError } from "./api-error";
import { ask } from "./door";
import { asObject, asText, type Json } from "./json";

export type FrontHealth = {
  status: string;
  /** What it calls itself; null where it does not say. */
  software: string | null;
  /** How long the answer took to come, in milliseconds. */
  milliseconds: number;
};

export type ServerHealth = {
  status: string;
  version: string;
  sqliteVersion: string;
  startedAt: string | null;
  /** Seconds since it started. */
  uptime: number;
  /** The name of the host that answered: which replica, where there are several. */
  host: string;
  workers: number;
  database: {
    name: string;
    /** Bytes of the file, and of the write-ahead log beside it. */
    size: number;
    walSize: number;
    journalMode: string;
    readOnly: boolean;
    schemaVersion: number;
    tables: number;
    views: number;
  };
  policies: { file: string; loaded: boolean; error: string | null };
};

/** How long an answer counts as fresh; a page in the background does not ask at all. */
const EVERY = 10_000;

export const frontHealthQuery = queryOptions({
  queryKey: ["health", "front"],
  queryFn: ({ signal }) => loadFrontHealth(signal),
  refetchInterval: EVERY,
});

export const serverHealthQuery = queryOptions({
  queryKey: ["health", "server"],
  queryFn: ({ signal }) => loadServerHealth(signal),
  // What the role may not see now, it may not see in ten seconds either.
  refetchInterval: ({ state }) => (state.error instanceof ApiError && state.error.forbids ? false : EVERY),
});

export async function loadFrontHealth(signal?: AbortSignal): Promise<FrontHealth> {
  const start = performance.now();
  const { headers, body } = await ask("/healthz", { signal, token: null });
  return {
    status: asText(asObject(body).status) ?? "unknown",
    software: headers.get("server"),
    milliseconds: performance.now() - start,
  };
}

/** Load what administrators may know of the server; throws an ApiError, 401 or 403 for everybody else. */
export async function loadServerHealth(signal?: AbortSignal): Promise<ServerHealth> {
  const health = asObject((await ask("/api/admin/v1/health", { signal })).body);
  const database = asObject(health.database);
  const policies = asObject(health.policies);
  return {
    status: text(health.status),
    version: text(health.version),
    sqliteVersion: text(health.sqlite_version),
    startedAt: asText(health.started_at),
    uptime: number(health.uptime),
    host: text(health.host),
    workers: number(health.workers),
    database: {
      name: text(database.name),
      size: number(database.size),
      walSize: number(database.wal_size),
      journalMode: text(database.journal_mode),
      readOnly: database.read_only === true,
      schemaVersion: number(database.schema_version),
      tables: number(database.tables),
      views: number(database.views),
    },
    policies: { file: text(policies.file), loaded: policies.loaded === true, error: asText(policies.error) },
  };
}

const text = (value: Json | undefined) => asText(value) ?? "unknown";
const number = (value: Json | undefined) => (typeof value === "number" ? value : Number.NaN);
