import type { Metadata } from "next";
import { StackHealth } from "@/features/stack-health/stack-health";

export const metadata: Metadata = { title: "Health" };

export default function HealthPage() {
  return <StackHealth />;
}
