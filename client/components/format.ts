/** Numbers, sizes and times as people read them. */

const whole = new Intl.NumberFormat("en");
const short = new Intl.NumberFormat("en", { maximumSignificantDigits: 3 });
const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });
const times = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });

/** `1234567` → `1,234,567`. */
export function formatCount(count: number): string {
  return whole.format(count);
}

/** `counted(1, "row")` → `1 row`, `counted(2, "row")` → `2 rows`. */
export function counted(count: number, singular: string, plural = `${singular}s`): string {
  return `${formatCount(count)} ${count === 1 ? singular : plural}`;
}

/** Bytes in decimal units: `1234567` → `1.23 MB`. */
export function formatBytes(bytes: number): string {
  if (!Number.isFinite(bytes)) {
    return "unknown";
  }
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  return `${short.format(bytes / 1000 ** power)} ${units[power]}`;
}

/** Seconds in the two largest units: `93784` → `1 day 2 hours`. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) {
    return "unknown";
  }
  const left = Math.max(0, Math.floor(seconds));
  const parts: [number, string][] = [
    [Math.floor(left / 86_400), "day"],
    [Math.floor(left / 3600) % 24, "hour"],
    [Math.floor(left / 60) % 60, "minute"],
    [left % 60, "second"],
  ];
  const from = parts.findIndex(([count]) => count > 0);
  const shown = from === -1 ? parts.slice(-1) : parts.slice(from, from + 2).filter(([count]) => count > 0);
  return shown.map(([count, unit]) => counted(count, unit)).join(" ");
}

/** The time of day of a moment, for what was today: `18:32:05`. */
export function formatTimeOfDay(moment: number): string {
  return clock.format(moment);
}

/** A moment in the reader's own time zone; what is no date stays as it is. */
export function formatTime(moment: string | number): string {
  const date = new Date(moment);
  return Number.isNaN(date.getTime()) ? String(moment) : times.format(date);
}
