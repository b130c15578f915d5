import styles from "./waiting.module.css";

/** Something is on its way. The words come with a delay: what is quick need not be announced. */
export function Waiting({ children }: { children: string }) {
  return (
    <p className={styles.waiting} role="status">
      <span className={styles.wheel} />
      {children}
    </p>
  );
}

/** A thin line at the top of what is being renewed. */
export function Progress({ shown }: { shown: boolean }) {
  return <span className={styles.progress} hidden={!shown} />;
}
