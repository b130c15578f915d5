"use client";

import { useId } from "react";
import type { ColumnDescription } from "@/api/description";
import type { Json, JsonObject } from "@/api/json";
import { cellOf } from "@/api/rows";
import { CopyButton } from "@/components/ui/copy-button";
import { Dialog } from "@/components/ui/dialog";
import { show, sizeOf, wholeText } from "./value";
import styles from "./value-dialog.module.css";

/** What of a row is shown whole: one value, or with no column all of them. */
export type Opened = { number: number; row: JsonObject; column: ColumnDescription | null };

export function ValueDialog({
  opened: { number, row, column },
  columns,
  onClose,
}: {
  opened: Opened;
  columns: ColumnDescription[];
  onClose: () => void;
}) {
  return (
    <Dialog title={column ? `${column.name} of row ${number}` : `Row ${number}`} onClose={onClose}>
      <div className={styles.values}>
        {(column ? [column] : columns).map((one) => (
          <Whole key={one.name} column={one} value={cellOf(row, one.name)} />
        ))}
      </div>
    </Dialog>
  );
}

function Whole({ column, value }: { column: ColumnDescription; value: Json }) {
  const id = useId();
  const { kind, line } = show(value, column);
  const absent = kind === "null" || kind === "empty";
  const size = sizeOf(value, column);
  const text = wholeText(value);
  return (
    <section aria-labelledby={id}>
      <header className={styles.head}>
        <h3 id={id} className={styles.name}>
          {column.name}
        </h3>
        <p className={styles.about}>{[column.declaredType ?? column.format, size].filter(Boolean).join(", ")}</p>
        {absent ? null : <CopyButton text={text} of={column.name} />}
      </header>
      {absent ? <p className={styles.absent}>{line}</p> : <pre className={styles.value}>{text}</pre>}
    </section>
  );
}
