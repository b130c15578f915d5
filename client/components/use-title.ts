"use client";

import { useLayoutEffect } from "react";

/**
 * Name the page in the window's title, for pages whose name is only known in the browser.
 *
 * The title of the page's metadata may be put in place after the page, and would stay there: so it is watched, until
 * the page goes, in the same turn.
 */
export function useTitle(title: string): void {
  useLayoutEffect(() => {
    const wanted = `${title} · Wherry Studio`;
    const name = () => {
      if (document.title !== wanted) document.title = wanted;
    };
    name();
    const observer = new MutationObserver(name);
    observer.observe(document.head, { childList: true, subtree: true, characterData: true });
    return () => {
      observer.disconnect();
    };
  }, [title]);
}
