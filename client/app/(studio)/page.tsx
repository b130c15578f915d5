import type { Metadata } from "next";
import { Suspense } from "react";
import { TableList } from "@/features/tables/table-list";

export const metadata: Metadata = { title: "Tables" };

export default function TablesPage() {
  return (
    <Suspense>
      <TableList />
    </Suspense>
  );
}
