"use client";

import { type FormEvent, useState } from "react";
import type { ColumnDescription } from "@/api/description";
import { type Filter, OPERATORS, type Operator } from "@/api/rows";
import { Button } from "@/components/ui/button";
import { SelectField, TextField } from "@/components/ui/field";
import { Icon } from "@/components/ui/icon";
import styles from "./filters.module.css";

const WORDS: Record<Operator, string> = {
  eq: "=",
  neq: "≠",
  gt: ">",
  gte: "≥",
  lt: "<",
  lte: "≤",
  contains: "contains",
  null: "is NULL",
  notnull: "is not NULL",
};

const SPOKEN: Partial<Record<Operator, string>> = {
  eq: "= is",
  neq: "≠ is not",
  gt: "> is above",
  gte: "≥ is at least",
  lt: "< is below",
  lte: "≤ is at most",
};

const hasValue = (operator: Operator) => operator !== "null" && operator !== "notnull";

/** The conditions that rows must meet: those that there are, and a line to add another. */
export function Filters({
  columns,
  filters,
  onChange,
}: {
  columns: ColumnDescription[];
  filters: Filter[];
  onChange: (filters: Filter[]) => void;
}) {
  return (
    <search className={styles.filters}>
      <NewFilter columns={columns} onAdd={(filter) => onChange([...filters, filter])} />
      {filters.length > 0 ? (
        <ul className={styles.list} aria-label="Filters">
          {filters.map((filter, place) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: filters are only added at the end and may be alike
            <li key={place} className={styles.filter}>
              <span>
                {filter.column} {WORDS[filter.operator]} {hasValue(filter.operator) ? <q>{filter.value}</q> : null}
              </span>
              <button
                type="button"
                className={styles.remove}
                aria-label={`Remove the filter on ${filter.column}`}
                onClick={() => onChange(filters.filter((_, other) => other !== place))}
              >
                <Icon name="close" size={12} />
              </button>
            </li>
          ))}
        </ul>
      ) : null}
    </search>
  );
}

function NewFilter({ columns, onAdd }: { columns: ColumnDescription[]; onAdd: (filter: Filter) => void }) {
  const [column, setColumn] = useState(columns[0]?.name ?? "");
  const [operator, setOperator] = useState<Operator>("eq");
  const [value, setValue] = useState("");
  const add = (event: FormEvent) => {
    event.preventDefault();
    onAdd({ column, operator, value: hasValue(operator) ? value : "" });
    setValue("");
  };
  return (
    <form className={styles.form} onSubmit={add}>
      <SelectField
        label="Column to filter by"
        labelHidden
        value={column}
        onChange={(event) => setColumn(event.target.value)}
        options={columns.map(({ name }) => ({ value: name, label: name }))}
      />
      <SelectField
        label="Condition"
        labelHidden
        value={operator}
        onChange={(event) => setOperator(OPERATORS.find((one) => one === event.target.value) ?? "eq")}
        options={OPERATORS.map((one) => ({ value: one, label: SPOKEN[one] ?? WORDS[one] }))}
      />
      <TextField
        label="Value"
        labelHidden
        placeholder="Value"
        value={hasValue(operator) ? value : ""}
        disabled={!hasValue(operator)}
        onChange={(event) => setValue(event.target.value)}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
      />
      <Button type="submit">Filter</Button>
    </form>
  );
}
