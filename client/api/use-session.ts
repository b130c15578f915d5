"use client";

import { useSyncExternalStore } from "react";
import { currentSession, onSessionChange, type SessionState } from "./token";

/** Who is signed in; undefined until the page runs in a browser, which alone knows. */
export function useSession(): SessionState | undefined {
  return useSyncExternalStore(onSessionChange, currentSession, () => undefined);
}
