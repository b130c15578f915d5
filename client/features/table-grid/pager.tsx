"use client";

import { counted, formatCount } from "@/components/format";
import { Button } from "@/components/ui/button";
import { SelectField } from "@/components/ui/field";
import { Icon } from "@/components/ui/icon";
import type { Place } from "./page";
import styles from "./pager.module.css";
import { SIZES } from "./view";

type PagerProps = {
  place: Place;
  size: number;
  onOffset: (offset: number) => void;
  onLast: () => void;
  onSize: (size: number) => void;
  onCount: () => void;
};

/** Which rows are shown of how many, and the way to the others. */
export function Pager({ place, size, onOffset, onLast, onSize, onCount }: PagerProps) {
  const { previous, next } = place;
  return (
    <nav aria-label="Pages" className={styles.pager}>
      <p className={styles.place}>
        <span role="status">{placeInWords(place)}</span>
        {place.estimated ? (
          <Button look="quiet" onClick={onCount}>
            Count exactly
          </Button>
        ) : null}
      </p>
      <div className={styles.size}>
        <SelectField
          label="Rows on a page"
          value={size}
          onChange={(event) => onSize(Number(event.target.value))}
          options={SIZES.map((one) => ({ value: String(one), label: String(one) }))}
        />
      </div>
      <div className={styles.steps}>
        <Step icon="first" label="First page" go={previous === null ? null : () => onOffset(0)} />
        <Step icon="previous" label="Previous page" go={previous === null ? null : () => onOffset(previous)} />
        <Step icon="next" label="Next page" go={next === null ? null : () => onOffset(next)} />
        <Step icon="last" label="Last page" go={next === null || place.total === null ? null : onLast} />
      </div>
    </nav>
  );
}

/** A step that leads nowhere keeps its place and the focus: it is not disabled, it says so and does nothing. */
function Step({
  icon,
  label,
  go,
}: {
  icon: "first" | "previous" | "next" | "last";
  label: string;
  go: (() => void) | null;
}) {
  return (
    <Button square aria-label={label} title={label} aria-disabled={go === null} onClick={() => go?.()}>
      <Icon name={icon} />
    </Button>
  );
}

function placeInWords({ first, last, total, estimated }: Place): string {
  if (last === 0) {
    return "No rows";
  }
  const rows = `${first === last ? "Row" : "Rows"} ${formatCount(first)}${first === last ? "" : ` to ${formatCount(last)}`}`;
  if (total === null) {
    return rows;
  }
  return first === 1 && last === total
    ? counted(total, "row")
    : `${rows} of ${estimated ? "about " : ""}${formatCount(total)}`;
}
