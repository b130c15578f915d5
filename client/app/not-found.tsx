import type { Metadata } from "next";
import { LinkButton } from "@/components/ui/button";
import styles from "./not-found.module.css";

export const metadata: Metadata = { title: "Not found" };

export default function NotFound() {
  return (
    <main className={styles.page}>
      <h1>There is no such page</h1>
      <p>The address may be mistyped, or from another version of Studio.</p>
      <LinkButton href="/" look="primary">
        To the tables
      </LinkButton>
    </main>
  );
}
