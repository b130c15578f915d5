import type { ReactNode } from "react";
import { Icon } from "./icon";
import styles from "./notice.module.css";

export type Tone = "neutral" | "danger" | "warning";

/** Say what happened or what is not there, and what to do about it. `alert` interrupts a screen reader to say so. */
export function Notice({
  title,
  children,
  tone = "neutral",
  alert = false,
  actions,
}: {
  title: ReactNode;
  children?: ReactNode;
  tone?: Tone;
  alert?: boolean;
  actions?: ReactNode;
}) {
  return (
    <div className={`${styles.notice} ${styles[tone]}`} {...(alert ? { role: "alert" } : {})}>
      <div className={styles.said}>
        {tone === "neutral" ? null : <Icon name="warning" size={20} />}
        <div className={styles.text}>
          <p className={styles.title}>{title}</p>
          {children}
        </div>
      </div>
      {actions ? <div className={styles.actions}>{actions}</div> : null}
    </div>
  );
}

/** Tell an error in the server's words: what is wrong, where, and what to do instead. */
export function ErrorNotice({
  error,
  actions,
}: {
  error: { message: string; details?: string | null; hint?: string | null };
  actions?: ReactNode;
}) {
  return (
    <Notice tone="danger" alert title={sentence(error.message)} actions={actions}>
      {error.details ? <p>{sentence(error.details)}</p> : null}
      {error.hint ? <p>{sentence(error.hint)}</p> : null}
    </Notice>
  );
}

const sentence = (text: string) => (/[.?!…]$/.test(text) ? text : `${text}.`);
