"use client";

import { endSession } from "@/api/token";
import { useSession } from "@/api/use-session";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Icon } from "@/components/ui/icon";
import styles from "./session.module.css";

/** Who is signed in, and the way out. */
export function Account() {
  const session = useSession()?.session;
  if (!session) {
    return null;
  }
  return (
    <div className={styles.account}>
      <p className={styles.role}>
        <span className="visually-hidden">Signed in as </span>
        <Badge tone="accent">{session.role}</Badge>
      </p>
      <Button look="quiet" onClick={() => endSession()}>
        <Icon name="leave" />
        Sign out
      </Button>
    </div>
  );
}
