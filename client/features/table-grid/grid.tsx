"use client";

import { useId, useState } from "react";
import type { ColumnDescription, TableDescription } from "@/api/description";
import { cellOf, type Order, type RowsPage } from "@/api/rows";
import { formatCount } from "@/components/format";
import { Progress } from "@/components/ui/waiting";
import { Cell } from "./cell";
import { ColumnHead } from "./column-head";
import styles from "./grid.module.css";
import { type Opened, ValueDialog } from "./value-dialog";

type GridProps = {
  table: TableDescription;
  /** Those of the table's columns that are shown. */
  columns: ColumnDescription[];
  page: RowsPage;
  order: Order | null;
  busy: boolean;
  readable: TableDescription[];
  onOrder: (column: string) => void;
};

/** A page of rows as a table that scrolls in itself. Row numbers open the whole row, long values themselves. */
export function Grid({ table, columns, page, order, busy, readable, onOrder }: GridProps) {
  const id = useId();
  const [opened, setOpened] = useState<Opened | null>(null);
  const tables = new Set(readable.map(({ name }) => name));
  return (
    <div className={styles.surface}>
      <Progress shown={busy} />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by the keyboard */}
      <section className={styles.scrolled} tabIndex={0} aria-labelledby={id} aria-busy={busy}>
        <table className={styles.grid}>
          <caption id={id} className="visually-hidden">
            Rows of {table.name}
          </caption>
          <thead>
            <tr>
              <th scope="col" className={styles.number}>
                <span className="visually-hidden">Row</span>
              </th>
              {columns.map((column) => (
                <ColumnHead key={column.name} column={column} order={order} onOrder={() => onOrder(column.name)} />
              ))}
            </tr>
          </thead>
          <tbody>
            {page.rows.map((row, place) => {
              const number = page.offset + place + 1;
              return (
                <tr key={number}>
                  <th scope="row" className={styles.number}>
                    <button
                      type="button"
                      className={styles.whole}
                      onClick={() => setOpened({ number, row, column: null })}
                    >
                      <span className="visually-hidden">Show row </span>
                      {formatCount(number)}
                    </button>
                  </th>
                  {columns.map((column) => (
                    <Cell
                      key={column.name}
                      value={cellOf(row, column.name)}
                      column={column}
                      linked={column.foreignKey !== null && tables.has(column.foreignKey.table)}
                      onOpen={() => setOpened({ number, row, column })}
                    />
                  ))}
                </tr>
              );
            })}
          </tbody>
        </table>
      </section>
      {opened ? <ValueDialog opened={opened} columns={columns} onClose={() => setOpened(null)} /> : null}
    </div>
  );
}
