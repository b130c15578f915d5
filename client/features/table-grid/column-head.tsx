import type { ColumnDescription } from "@/api/description";
import type { Order } from "@/api/rows";
import { Icon } from "@/components/ui/icon";
import styles from "./grid.module.css";

/** The head of a column: its name, type and keys, and the button that orders by it. */
export function ColumnHead({
  column,
  order,
  onOrder,
}: {
  column: ColumnDescription;
  order: Order | null;
  onOrder: () => void;
}) {
  const direction = order?.column === column.name ? (order.descending ? "descending" : "ascending") : "none";
  const { foreignKey } = column;
  return (
    <th scope="col" aria-sort={direction} className={NUMERIC.has(column.format ?? "") ? styles.numeric : undefined}>
      <button type="button" className={styles.order} onClick={onOrder} title={`Order by ${column.name}`}>
        <span className={styles.columnName}>{column.name}</span>
        <Icon name={ICONS[direction]} size={14} />
      </button>
      <span className={styles.type}>
        {column.declaredType ?? column.format ?? "any"}
        {column.primaryKey ? (
          <span title="Primary key" className={styles.key}>
            <Icon name="key" size={13} />
            <span className="visually-hidden">, primary key</span>
          </span>
        ) : null}
        {foreignKey ? (
          <span title={`Refers to ${foreignKey.table}.${foreignKey.column}`} className={styles.key}>
            <Icon name="link" size={13} />
            <span className="visually-hidden">
              , refers to {foreignKey.table}.{foreignKey.column}
            </span>
          </span>
        ) : null}
        {column.generated ? <span className={styles.note}> generated</span> : null}
        {column.required && !column.primaryKey ? <span className={styles.note}> not null</span> : null}
      </span>
    </th>
  );
}

const NUMERIC = new Set(["bigint", "double precision", "numeric"]);
const ICONS = { ascending: "up", descending: "down", none: "unordered" } as const;
