import type { Metadata } from "next";
import { Suspense } from "react";
import { TableGrid } from "@/features/table-grid/table-grid";

export const metadata: Metadata = { title: "Table" };

export default function TablePage() {
  return (
    <Suspense>
      <TableGrid />
    </Suspense>
  );
}
