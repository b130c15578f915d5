/** Small pictures, drawn in the colour of the text around them. They say nothing to screen readers: words beside them do. */
const DRAWN = {
  boat: "M1.5 9.5h13l-2 3.2a1.6 1.6 0 0 1-1.4.8H4.9a1.6 1.6 0 0 1-1.4-.8zM7.5 2v7.5M7.5 2l5 5.5h-5",
  table: "M2 3h12v10H2zM2 6.4h12M6.2 6.4V13",
  view: "M1.3 8S3.7 3.6 8 3.6 14.7 8 14.7 8 12.3 12.4 8 12.4 1.3 8 1.3 8zM8 6.2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6z",
  virtual:
    "M2 4.2C2 3 4.7 2 8 2s6 1 6 2.2S11.3 6.4 8 6.4 2 5.4 2 4.2zM2 4.2v7.6C2 13 4.7 14 8 14s6-1 6-2.2V4.2M2 8c0 1.2 2.7 2.2 6 2.2S14 9.2 14 8",
  key: "M5.2 7.6a2.6 2.6 0 1 0 0 5.2 2.6 2.6 0 0 0 0-5.2zM7.2 8.4 13.2 2.4M10.6 5l2.2 2.2",
  link: "M6.5 9.5 13 3M8.5 3H13v4.5M11.5 9.5V13h-8.5V4.5h3.5",
  pulse: "M1.5 8.5h3L6.5 3l3 10 2-4.5h3",
  search: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10.3 10.3 14 14",
  first: "M11.5 3.5 7 8l4.5 4.5M4.5 3.5v9",
  previous: "M10 3.5 5.5 8l4.5 4.5",
  next: "M6 3.5 10.5 8 6 12.5",
  last: "M4.5 3.5 9 8l-4.5 4.5M11.5 3.5v9",
  up: "M8 13V3M4 7l4-4 4 4",
  down: "M8 3v10M4 9l4 4 4-4",
  unordered: "M5 6.5 8 3.5l3 3M5 9.5l3 3 3-3",
  close: "M3.5 3.5l9 9M12.5 3.5l-9 9",
  refresh: "M13 8a5 5 0 1 1-1.6-3.7M13.2 2v3h-3",
  copy: "M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3",
  done: "M3 8.5 6.5 12 13 4.5",
  warning: "M8 2 14.5 13.5h-13zM8 6.5v3.2M8 11.6v.2",
  expand: "M9.5 2.5h4v4M13.5 2.5l-4.5 4.5M6.5 13.5h-4v-4M2.5 13.5l4.5-4.5",
  leave: "M9.5 2.5h-7v11h7M6.5 8h8M11.5 5l3 3-3 3",
} as const;

export type IconName = keyof typeof DRAWN;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg aria-hidden="true" focusable="false" width={size} height={size} viewBox="0 0 16 16">
      <path
        d={DRAWN[name]}
        fill="none"
        stroke="currentColor"
        strokeWidth="1.4"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}
