import Link from "next/link";
import type { ColumnDescription } from "@/api/description";
import type { Json } from "@/api/json";
import styles from "./grid.module.css";
import { show } from "./value";
import { addressOf } from "./view";

type CellProps = {
  value: Json;
  column: ColumnDescription /** Whether the foreign key's table may be read. */;
  linked: boolean;
};

/** A value on one line; what does not fit can be opened. */
export function Cell({ value, column, linked, onOpen }: CellProps & { onOpen: () => void }) {
  const { kind, line, cut } = show(value, column);
  const target = linked && value !== null && !cut ? column.foreignKey : null;
  return (
    <td className={styles[kind]}>
      {cut ? (
        <button type="button" className={styles.whole} onClick={onOpen}>
          {line}
          <span aria-hidden="true">…</span>
          <span className="visually-hidden">, show {column.name} whole</span>
        </button>
      ) : target ? (
        <Link
          href={addressOf(target.table, target.column, line)}
          prefetch={false}
          title={`${target.table}.${target.column}`}
        >
          {line}
        </Link>
      ) : kind === "null" || kind === "empty" ? (
        <span className={styles.absent}>{line}</span>
      ) : (
        line
      )}
    </td>
  );
}
