"use client";

import { usePathname, useSearchParams } from "next/navigation";
import { useCallback } from "react";

/**
 * The search parameters of the address, and how to change them: state that survives a reload and that "back" undoes.
 *
 * They change without a visit to the server (https://nextjs.org/docs/app/getting-started/linking-and-navigating#native-history-api).
 * `replace` leaves no step behind that "back" would go to.
 */
export function useSearch(): [URLSearchParams, (next: URLSearchParams, how?: "push" | "replace") => void] {
  const search = useSearchParams();
  const path = usePathname();
  const change = useCallback(
    (next: URLSearchParams, how: "push" | "replace" = "push") => {
      const query = next.toString();
      const address = query ? `${path}?${query}` : path;
      if (how === "push") {
        window.history.pushState(null, "", address);
      } else {
        window.history.replaceState(null, "", address);
      }
    },
    [path],
  );
  return [search, change];
}
