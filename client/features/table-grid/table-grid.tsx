"use client";

import { useQuery } from "@tanstack/react-query";
import Link from "next/link";
import { type TableDescription, tablesQuery } from "@/api/description";
import { counted } from "@/components/format";
import { Badge } from "@/components/ui/badge";
import { Button, LinkButton } from "@/components/ui/button";
import { ErrorNotice, Notice } from "@/components/ui/notice";
import { Waiting } from "@/components/ui/waiting";
import { useSearch } from "@/components/use-search";
import { useTitle } from "@/components/use-title";
import styles from "./grid.module.css";
import { Rows } from "./rows";
import { readView } from "./view";

/** One table: what it is, and its rows. Which table, and which rows, stands in the address. */
export function TableGrid() {
  const [search] = useSearch();
  const { name } = readView(search);
  const tables = useQuery(tablesQuery);
  const table = tables.data?.find((one) => one.name === name);
  useTitle(name || "Table");
  return (
    <>
      <nav aria-label="Where this is" className={styles.trail}>
        <Link href="/">Tables</Link>
        <span aria-hidden="true">/</span>
      </nav>
      {table ? <Heading table={table} /> : <h1>{name || "No table"}</h1>}
      {tables.isPending ? <Waiting>Loading the table…</Waiting> : null}
      {tables.isError ? (
        <ErrorNotice error={tables.error} actions={<Button onClick={() => tables.refetch()}>Try again</Button>} />
      ) : null}
      {tables.data && !table ? <Unknown name={name} /> : null}
      {table && tables.data ? <Rows key={name} table={table} readable={tables.data} /> : null}
    </>
  );
}

const KINDS = { table: "Table", view: "View", virtual: "Virtual table" } as const;

function Heading({ table }: { table: TableDescription }) {
  const withoutKey = table.kind === "table" && table.primaryKey.length === 0;
  return (
    <header className={styles.heading}>
      <h1>{table.name}</h1>
      <Badge>{KINDS[table.kind]}</Badge>
      <Badge>{counted(table.columns.length, "column")}</Badge>
      {withoutKey ? <Badge>no primary key</Badge> : null}
      {table.writable ? null : <Badge>read only</Badge>}
      {table.description ? <p className={styles.description}>{table.description}</p> : null}
    </header>
  );
}

function Unknown({ name }: { name: string }) {
  return (
    <Notice
      title={name ? `There is no table or view “${name}” that you may read` : "The address names no table"}
      actions={<LinkButton href="/">All tables</LinkButton>}
    >
      <p>It may have another name now, or your role may not read it.</p>
    </Notice>
  );
}
