"use client";

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { ApiError } from "@/api/api-error";
import type { TableDescription } from "@/api/description";
import { type Counting, countRows, type RowsPage, type RowsQuestion, rowsQuery } from "@/api/rows";
import { Button } from "@/components/ui/button";
import { ErrorNotice, Notice } from "@/components/ui/notice";
import { Waiting } from "@/components/ui/waiting";
import { useSearch } from "@/components/use-search";
import { COLUMNS_AT_ONCE, ColumnSteps } from "./column-steps";
import { Filters } from "./filters";
import { Grid } from "./grid";
import { lastOffset, placeOf } from "./page";
import { Pager } from "./pager";
import { nextOrder, readView, type View, writeView } from "./view";

/** The rows of a table, a page of them, with everything that changes which. `readable` are all tables that may be read. */
export function Rows({ table, readable }: { table: TableDescription; readable: TableDescription[] }) {
  const [search, setSearch] = useSearch();
  const [count, setCount] = useState<Counting>("estimated");
  const view = readView(search);
  const question = questionOf(table, view, count);
  const page = useQuery({
    ...rowsQuery(question),
    // The rows of before stay until the next ones are there; those of another table would be wrong.
    placeholderData: (before: RowsPage | undefined, query) => (query?.queryKey[1] === table.name ? before : undefined),
  });

  const change = (changes: Partial<View>) => setSearch(writeView({ ...view, ...changes }));
  const goToLast = async () => {
    const total = place?.estimated ? await countRows(question).catch(() => null) : (place?.total ?? null);
    if (total !== null) {
      change({ offset: lastOffset(total, view.size) });
    }
  };

  const place = page.data ? placeOf(page.data, view.size) : null;
  const columns = table.columns.slice(view.columns, view.columns + COLUMNS_AT_ONCE);
  return (
    <>
      <Filters columns={table.columns} filters={view.filters} onChange={(filters) => change({ filters, offset: 0 })} />
      <ColumnSteps from={view.columns} total={table.columns.length} onStep={(from) => change({ columns: from })} />
      {page.isPending ? <Waiting>Loading the rows…</Waiting> : null}
      {page.isError ? (
        <Failure error={page.error} view={view} onChange={change} onRetry={() => page.refetch()} />
      ) : null}
      {page.data && place && !page.isError ? (
        <>
          {page.data.rows.length > 0 ? (
            <Grid
              table={table}
              columns={columns}
              page={page.data}
              order={view.order}
              busy={page.isFetching}
              readable={readable}
              onOrder={(column) => change({ order: nextOrder(view.order, column), offset: 0 })}
            />
          ) : (
            <NoRows view={view} onChange={change} />
          )}
          <Pager
            place={place}
            size={view.size}
            onOffset={(offset) => change({ offset })}
            onLast={goToLast}
            onSize={(size) => change({ size, offset: 0 })}
            onCount={() => setCount("exact")}
          />
        </>
      ) : null}
    </>
  );
}

/** Rows of the same order come one after the other by their key, so that none is on two pages. */
function questionOf(table: TableDescription, view: View, count: Counting): RowsQuestion {
  const wide = table.columns.length > COLUMNS_AT_ONCE;
  const key = table.primaryKey.filter((column) => column !== view.order?.column);
  return {
    table: table.name,
    columns: wide ? table.columns.slice(view.columns, view.columns + COLUMNS_AT_ONCE).map(({ name }) => name) : null,
    order: [...(view.order ? [view.order] : []), ...key.map((column) => ({ column, descending: false }))],
    filters: view.filters,
    offset: view.offset,
    limit: view.size,
    count,
  };
}

type Changing = { view: View; onChange: (changes: Partial<View>) => void };

function NoRows({ view, onChange }: Changing) {
  if (view.offset > 0) {
    return <PastTheEnd onChange={onChange} />;
  }
  return view.filters.length > 0 ? (
    <Notice
      title="No row meets the filters"
      actions={<Button onClick={() => onChange({ filters: [] })}>Remove the filters</Button>}
    />
  ) : (
    <Notice title="There are no rows">
      <p>The table is empty, or its policies show your role none of its rows.</p>
    </Notice>
  );
}

function PastTheEnd({ onChange }: Pick<Changing, "onChange">) {
  return (
    <Notice
      title="There are fewer rows than that"
      actions={<Button onClick={() => onChange({ offset: 0 })}>First page</Button>}
    >
      <p>The page in the address begins after the last row.</p>
    </Notice>
  );
}

function Failure({ error, view, onChange, onRetry }: Changing & { error: Error; onRetry: () => void }) {
  if (error instanceof ApiError && error.status === 416) {
    return <PastTheEnd onChange={onChange} />;
  }
  const narrowed = view.filters.length > 0 || view.order !== null;
  return (
    <ErrorNotice
      error={error}
      actions={
        <>
          <Button onClick={onRetry}>Try again</Button>
          {narrowed ? (
            <Button onClick={() => onChange({ filters: [], order: null, offset: 0 })}>Without filters and order</Button>
          ) : null}
        </>
      }
    />
  );
}
