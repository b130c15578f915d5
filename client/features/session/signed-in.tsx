"use client";

import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { usePathname, useRouter } from "next/navigation";
import { type ReactNode, useEffect, useMemo } from "react";
import { ApiError } from "@/api/api-error";
import { useSession } from "@/api/use-session";
import { Waiting } from "@/components/ui/waiting";
import { signInAddress } from "./return-path";

const GRACE = 10_000; // servers accept a token a little longer, because clocks differ
const LONGEST_TIMER = 2 ** 31 - 1; // more milliseconds do not fit into setTimeout

/** Show `children` to who is signed in, and lead everybody else to the sign-in page and back. */
export function SignedIn({ children }: { children: ReactNode }) {
  const session = useSession()?.session;
  const token = session?.token;
  const router = useRouter();
  const path = usePathname();

  useEffect(() => {
    if (session === null) {
      router.replace(signInAddress(path + window.location.search));
    }
  }, [session, router, path]);

  // What was read with one token is not for the next: each has a memory of its own.
  // biome-ignore lint/correctness/useExhaustiveDependencies: made anew for each token
  const queries = useMemo(() => newQueries(), [token]);

  // The clock here may be wrong, so an expiry only makes us ask: the server says whether the token has ended.
  const expiresAt = session?.expiresAt ?? null;
  useEffect(() => {
    if (expiresAt === null) {
      return;
    }
    let timer: ReturnType<typeof setTimeout>;
    const askAgain = () => {
      void queries.invalidateQueries();
      timer = setTimeout(askAgain, GRACE);
    };
    timer = setTimeout(askAgain, Math.min(Math.max(expiresAt - Date.now(), 0), LONGEST_TIMER));
    return () => clearTimeout(timer);
  }, [expiresAt, queries]);

  if (!session) {
    return <Waiting>Loading…</Waiting>;
  }
  return <QueryClientProvider client={queries}>{children}</QueryClientProvider>;
}

function newQueries(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        networkMode: "always", // the server may be on this machine: being offline means nothing
        retry: (failures, error) => failures < 2 && isPassing(error),
        refetchOnWindowFocus: false,
      },
    },
  });
}

/** Whether the same request may succeed a moment later: nobody answered, or something on the way was not ready. */
function isPassing(error: Error): boolean {
  return error instanceof ApiError && (error.status === 0 || error.status >= 502);
}
