"use client";

import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect, useId, useState } from "react";
import { ApiError } from "@/api/api-error";
import { type FrontHealth, frontHealthQuery, type ServerHealth, serverHealthQuery } from "@/api/health";
import { useSession } from "@/api/use-session";
import { counted, formatBytes, formatDuration, formatTime, formatTimeOfDay } from "@/components/format";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Icon } from "@/components/ui/icon";
import { ErrorNotice, Notice } from "@/components/ui/notice";
import { Waiting } from "@/components/ui/waiting";
import styles from "./health.module.css";

/** How the stack is, asked again every ten seconds while somebody looks. */
export function StackHealth() {
  const front = useQuery(frontHealthQuery);
  const server = useQuery(serverHealthQuery);
  const role = useSession()?.session?.role ?? "anon";
  const asked = Math.max(front.dataUpdatedAt, front.errorUpdatedAt, server.dataUpdatedAt, server.errorUpdatedAt);
  const refresh = () => {
    void front.refetch();
    void server.refetch();
  };
  return (
    <>
      <header className={styles.header}>
        <h1>Health</h1>
        <p className={styles.asked}>{asked > 0 ? `Asked at ${formatTimeOfDay(asked)}` : null}</p>
        <Button look="quiet" onClick={refresh}>
          <Icon name="refresh" />
          Refresh
        </Button>
      </header>
      <div className={styles.cards}>
        <Card title="Front" state={stateOf(front)}>
          {front.isPending ? <Waiting>Asking…</Waiting> : null}
          {front.isError ? <ErrorNotice error={front.error} /> : front.data ? <Front health={front.data} /> : null}
        </Card>
        {server.isPending ? <Waiting>Asking the server…</Waiting> : null}
        {server.isError ? <ServerError error={server.error} role={role} /> : null}
        {server.data && !server.isError ? <Server health={server.data} /> : null}
      </div>
    </>
  );
}

type State = "ok" | "failed" | "asking";

function stateOf(query: { isPending: boolean; isError: boolean; data?: { status: string } | undefined }): State {
  if (query.isPending) {
    return "asking";
  }
  return query.isError || query.data?.status !== "ok" ? "failed" : "ok";
}

const STATES = {
  ok: { tone: "success", icon: "done", words: "ok" },
  failed: { tone: "danger", icon: "warning", words: "not ok" },
  asking: { tone: "neutral", icon: "refresh", words: "asking" },
} as const;

function Card({ title, state, children }: { title: string; state?: State; children: ReactNode }) {
  const id = useId();
  const shown = state ? STATES[state] : null;
  return (
    <section className={styles.card} aria-labelledby={id}>
      <header className={styles.cardHeader}>
        <h2 id={id}>{title}</h2>
        {shown ? (
          <span role="status">
            <Badge tone={shown.tone}>
              <Icon name={shown.icon} size={13} />
              {shown.words}
            </Badge>
          </span>
        ) : null}
      </header>
      {children}
    </section>
  );
}

function Facts({ facts }: { facts: Record<string, ReactNode> }) {
  return (
    <dl className={styles.facts}>
      {Object.entries(facts).map(([name, fact]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{fact}</dd>
        </div>
      ))}
    </dl>
  );
}

function Front({ health }: { health: FrontHealth }) {
  return (
    <Facts
      facts={{
        Address: window.location.origin,
        Answered: `in ${Math.max(1, Math.round(health.milliseconds))} ms`,
        ...(health.software ? { Software: health.software } : {}),
      }}
    />
  );
}

function Server({ health }: { health: ServerHealth }) {
  const { database, policies } = health;
  const replicas = useSeen(health.host);
  return (
    <>
      <Card title="Server" state={health.status === "ok" ? "ok" : "failed"}>
        <Facts
          facts={{
            Replica: health.host,
            ...(replicas.length > 1 ? { "Replicas seen": replicas.join(", ") } : {}),
            Wherry: health.version,
            SQLite: health.sqliteVersion,
            "Running for": formatDuration(health.uptime),
            ...(health.startedAt ? { Started: formatTime(health.startedAt) } : {}),
            Processes: health.workers,
          }}
        />
      </Card>
      <Card title="Database">
        <Facts
          facts={{
            File: database.name,
            Size: formatBytes(database.size),
            "Write-ahead log": formatBytes(database.walSize),
            "Journal mode": database.journalMode,
            Access: database.readOnly ? "read only" : "read and write",
            Schema: `version ${database.schemaVersion}`,
            Holds: `${counted(database.tables, "table")}, ${counted(database.views, "view")}`,
          }}
        />
      </Card>
      <Card title="Policies" state={policies.error === null ? "ok" : "failed"}>
        <Facts
          facts={{
            File: policies.file,
            "In force": policies.loaded ? "yes" : "no: only service_role reads and writes",
          }}
        />
        {policies.error ? <ErrorNotice error={{ message: policies.error }} /> : null}
      </Card>
    </>
  );
}

/** The replicas that have answered since the page was opened: behind a proxy that balances, several do. */
function useSeen(host: string): string[] {
  const [seen, setSeen] = useState([host]);
  useEffect(() => setSeen((before) => (before.includes(host) ? before : [...before, host].sort())), [host]);
  return seen;
}

function ServerError({ error, role }: { error: Error; role: string }) {
  if (error instanceof ApiError && error.forbids) {
    return (
      <Notice title={`The role ${role} may not see how the server is`}>
        <p>
          Only <code>service_role</code> may. Sign out, and in again with its key.
        </p>
      </Notice>
    );
  }
  return (
    <Card title="Server" state="failed">
      <ErrorNotice error={error} />
    </Card>
  );
}
