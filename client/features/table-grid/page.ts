/** Where a page of rows stands among all of them, and where its neighbours are. */
import type { RowsPage } from "@/api/rows";

/** Above this many rows the server does not count, it estimates (docs/reference/dialect.md: count=estimated). */
const COUNTED = 10_000;

export type Place = {
  /** The numbers of the first and the last row shown, from 1; both 0 where there is none. */
  first: number;
  last: number;
  total: number | null;
  /** Whether `total` is only about right. */
  estimated: boolean;
  /** Offsets of the pages beside this one; null where there is none. */
  previous: number | null;
  next: number | null;
};

/**
 * Tell the place of a page that was asked for with `size` rows.
 *
 * The server may give fewer rows than asked for (WHERRY_MAX_ROWS), so the next page begins after those that came. An
 * estimate may be too low, so after a full page there may be another.
 */
export function placeOf({ rows, offset, total, counted }: RowsPage, size: number): Place {
  const end = offset + rows.length;
  const estimated = counted === "estimated" && total !== null && total > COUNTED;
  const full = rows.length === size;
  const more = total === null || estimated ? full || (total !== null && end < total) : end < total;
  return {
    first: rows.length === 0 ? 0 : offset + 1,
    last: rows.length === 0 ? 0 : end,
    total: total === null ? null : Math.max(total, rows.length === 0 ? 0 : end),
    estimated,
    previous: offset === 0 ? null : Math.max(0, offset - size),
    next: rows.length > 0 && more ? end : null,
  };
}

/** Return the offset of the last page of `total` rows. */
export function lastOffset(total: number, size: number): number {
  return Math.max(0, Math.floor((total - 1) / size) * size);
}
