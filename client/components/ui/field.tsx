import { type ComponentProps, type ReactNode, useId } from "react";
import styles from "./field.module.css";

type Labelled = { label: string /** Shows the label to screen readers only. */; labelHidden?: boolean };

function Label({ id, label, hidden }: { id: string; label: string; hidden: boolean }) {
  return (
    <label htmlFor={id} className={hidden ? "visually-hidden" : styles.label}>
      {label}
    </label>
  );
}

/** One line of text with its label; `hint` says what to write, `children` stand at the end of the line. */
export function TextField({
  label,
  labelHidden = false,
  hint,
  children,
  ...rest
}: ComponentProps<"input"> & Labelled & { hint?: ReactNode }) {
  const id = useId();
  return (
    <div className={styles.field}>
      <Label id={id} label={label} hidden={labelHidden} />
      <div className={styles.line}>
        <input {...rest} id={id} className={styles.input} {...(hint ? { "aria-describedby": `${id}-hint` } : {})} />
        {children}
      </div>
      {hint ? (
        <p id={`${id}-hint`} className={styles.hint}>
          {hint}
        </p>
      ) : null}
    </div>
  );
}

/** One of several values with its label. */
export function SelectField({
  label,
  labelHidden = false,
  options,
  ...rest
}: ComponentProps<"select"> & Labelled & { options: readonly { value: string; label: string }[] }) {
  const id = useId();
  return (
    <div className={styles.field}>
      <Label id={id} label={label} hidden={labelHidden} />
      <select {...rest} id={id} className={styles.input}>
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </div>
  );
}
