"use client";

import { useEffect } from "react";

/** Name the page in the window's title, for pages whose name is only known in the browser. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Wherry Studio`;
  }, [title]);
}
