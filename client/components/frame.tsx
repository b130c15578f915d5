"use client";

import Link from "next/link";
import { usePathname } from "next/navigation";
import { type ReactNode, useEffect, useRef } from "react";
import styles from "./frame.module.css";
import { Icon, type IconName } from "./ui/icon";

export type Room = {
  name: string;
  path: string;
  icon: IconName /** Other paths that belong to it. */;
  also?: readonly string[];
};

/** What stands around every page: the way to its content, the rooms, who is signed in. */
export function Frame({
  rooms,
  account,
  children,
}: {
  rooms: readonly Room[];
  account: ReactNode;
  children: ReactNode;
}) {
  const path = usePathname();
  const main = useRef<HTMLElement>(null);
  const visited = useRef(path);
  useEffect(() => {
    // After a visit to another page reading goes on at its content; on the first one the browser has it right.
    if (visited.current !== path) {
      visited.current = path;
      main.current?.focus();
    }
  }, [path]);
  return (
    <div className={styles.frame}>
      <a className={styles.skip} href="#content">
        Skip to the content
      </a>
      <header className={styles.header}>
        <Link href="/" className={styles.brand}>
          <Icon name="boat" size={22} />
          Wherry <span className={styles.product}>Studio</span>
        </Link>
        <nav aria-label="Rooms" className={styles.rooms}>
          <ul>
            {rooms.map((room) => (
              <li key={room.path}>
                <Link
                  href={room.path}
                  className={styles.room}
                  aria-current={room.path === path ? "page" : room.also?.includes(path) ? "true" : undefined}
                >
                  <Icon name={room.icon} />
                  {room.name}
                </Link>
              </li>
            ))}
          </ul>
        </nav>
        <div className={styles.account}>{account}</div>
      </header>
      <main id="content" ref={main} tabIndex={-1} className={styles.main}>
        {children}
      </main>
    </div>
  );
}
