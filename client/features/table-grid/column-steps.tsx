import { formatCount } from "@/components/format";
import { Button } from "@/components/ui/button";
import { Icon } from "@/components/ui/icon";
import styles from "./pager.module.css";

/** More columns make a page that a browser draws slowly and nobody reads. */
export const COLUMNS_AT_ONCE = 100;

/** Which columns are shown of a very wide table, and the way to the others. */
export function ColumnSteps({ from, total, onStep }: { from: number; total: number; onStep: (from: number) => void }) {
  if (total <= COLUMNS_AT_ONCE) {
    return null;
  }
  const last = Math.min(total, from + COLUMNS_AT_ONCE);
  const previous = from > 0 ? Math.max(0, from - COLUMNS_AT_ONCE) : null;
  const next = last < total ? last : null;
  return (
    <nav aria-label="Columns" className={styles.pager}>
      <p role="status" className={styles.place}>
        Columns {formatCount(from + 1)} to {formatCount(last)} of {formatCount(total)}
      </p>
      <div className={styles.steps}>
        <Button aria-disabled={previous === null} onClick={() => previous !== null && onStep(previous)}>
          <Icon name="previous" />
          Earlier columns
        </Button>
        <Button aria-disabled={next === null} onClick={() => next !== null && onStep(next)}>
          Later columns
          <Icon name="next" />
        </Button>
      </div>
    </nav>
  );
}
