"use client";

import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { useId, useState } from "react";
import { type TableDescription, type TableKind, tablesQuery } from "@/api/description";
import { useSession } from "@/api/use-session";
import { counted, formatCount } from "@/components/format";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { SelectField, TextField } from "@/components/ui/field";
import { Icon } from "@/components/ui/icon";
import { ErrorNotice, Notice } from "@/components/ui/notice";
import { Progress, Waiting } from "@/components/ui/waiting";
import { useSearch } from "@/components/use-search";
import { KINDS, matching } from "./matching";
import styles from "./tables.module.css";

/** The tables and views that the role may read, to be searched. */
export function TableList() {
  const role = useSession()?.session?.role ?? "anon";
  const tables = useQuery(tablesQuery);
  return (
    <>
      <header className={styles.header}>
        <h1>Tables</h1>
        <Button look="quiet" onClick={() => tables.refetch()} aria-disabled={tables.isFetching}>
          <Icon name="refresh" />
          Refresh
        </Button>
      </header>
      {tables.isPending ? <Waiting>Loading the tables…</Waiting> : null}
      {tables.isError ? (
        <ErrorNotice error={tables.error} actions={<Button onClick={() => tables.refetch()}>Try again</Button>} />
      ) : null}
      {tables.data?.length === 0 ? <NoTables role={role} /> : null}
      {tables.data && tables.data.length > 0 ? <Searchable tables={tables.data} busy={tables.isFetching} /> : null}
    </>
  );
}

function Searchable({ tables, busy }: { tables: TableDescription[]; busy: boolean }) {
  const [search, setSearch] = useSearch();
  // Kept here and in the address: the address follows too late for somebody who types quickly.
  const [words, setWords] = useState(search.get("search") ?? "");
  const [kind, setKind] = useState(search.get("kind") ?? "");
  const found = matching(tables, words, kind);
  const look = (nextWords: string, nextKind: string) => {
    setWords(nextWords);
    setKind(nextKind);
    const given = Object.entries({ search: nextWords, kind: nextKind }).filter(([, value]) => value !== "");
    setSearch(new URLSearchParams(given), "replace");
  };
  return (
    <>
      <search className={styles.search}>
        <TextField
          label="Search tables"
          labelHidden
          type="search"
          placeholder="Search tables and columns"
          value={words}
          onChange={(event) => look(event.target.value, kind)}
          autoComplete="off"
          spellCheck={false}
        />
        <SelectField
          label="Kind"
          labelHidden
          value={kind}
          onChange={(event) => look(words, event.target.value)}
          options={[
            { value: "", label: "All kinds" },
            ...KINDS.filter(({ kind: one }) => tables.some((table) => table.kind === one)).map(
              ({ kind: one, plural }) => ({
                value: one,
                label: plural,
              }),
            ),
          ]}
        />
        <p role="status" className={styles.count}>
          {found.length === tables.length
            ? counted(tables.length, "table or view", "tables and views")
            : `${formatCount(found.length)} of ${formatCount(tables.length)}`}
        </p>
      </search>
      {found.length === 0 ? (
        <Notice title="Nothing has that name" actions={<Button onClick={() => look("", "")}>Show all</Button>}>
          <p>Neither a table nor a column, among those that you may read.</p>
        </Notice>
      ) : (
        <Listed tables={found} busy={busy} />
      )}
    </>
  );
}

function Listed({ tables, busy }: { tables: TableDescription[]; busy: boolean }) {
  const id = useId();
  return (
    <div className={styles.surface}>
      <Progress shown={busy} />
      <table className={styles.table} aria-labelledby={id}>
        <caption id={id} className="visually-hidden">
          Tables and views
        </caption>
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Kind</th>
            <th scope="col" className={styles.number}>
              Columns
            </th>
            <th scope="col" className={styles.wide}>
              Primary key
            </th>
            <th scope="col" className={styles.wide}>
              Access
            </th>
          </tr>
        </thead>
        <tbody>
          {tables.map((table) => (
            <Row key={table.name} table={table} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ table }: { table: TableDescription }) {
  return (
    <tr>
      <th scope="row">
        <Icon name={table.kind} />
        {/* Not prefetched: a thousand tables would be a thousand requests. */}
        <Link href={`/tables/?${new URLSearchParams({ name: table.name })}`} prefetch={false} className={styles.name}>
          {table.name}
        </Link>
        {table.description ? <p className={styles.description}>{table.description}</p> : null}
      </th>
      <td>{NAMES[table.kind]}</td>
      <td className={styles.number}>{formatCount(table.columns.length)}</td>
      <td className={styles.wide}>
        {table.primaryKey.length > 0 ? table.primaryKey.join(", ") : <span className={styles.none}>none</span>}
      </td>
      <td className={styles.wide}>
        <Badge>{table.writable ? "read and write" : "read"}</Badge>
      </td>
    </tr>
  );
}

const NAMES = Object.fromEntries(KINDS.map(({ kind, singular }) => [kind, singular])) as Record<TableKind, string>;

function NoTables({ role }: { role: string }) {
  return role === "service_role" ? (
    <Notice title="The database has no tables yet">
      <p>
        Make one with any SQLite tool. It is here as soon as it is in the file:{" "}
        <code>CREATE TABLE films (title TEXT)</code>
      </p>
    </Notice>
  ) : (
    <Notice title={`The role ${role} may not read any table`}>
      <p>
        Who may read what stands in <code>policies.sql</code>. For example,{" "}
        <code>GRANT SELECT ON films TO {role};</code> shows a table. The <code>service_role</code> key sees everything.
      </p>
    </Notice>
  );
}
