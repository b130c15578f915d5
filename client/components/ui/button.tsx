import Link from "next/link";
import type { ComponentProps } from "react";
import styles from "./button.module.css";

/** How much a button asks for attention: one `primary` on a page at most. */
export type Look = "primary" | "plain" | "quiet";

type Own = { look?: Look; square?: boolean };

const classOf = (look: Look, square: boolean) =>
  [styles.button, styles[look], ...(square ? [styles.square] : [])].join(" ");

export function Button({ look = "plain", square = false, ...rest }: ComponentProps<"button"> & Own) {
  return <button type="button" {...rest} className={classOf(look, square)} />;
}

/** A link that looks like a button: it leads somewhere, a button does something. */
export function LinkButton({ look = "plain", square = false, ...rest }: ComponentProps<typeof Link> & Own) {
  return <Link {...rest} className={classOf(look, square)} />;
}
