"use client";

import { useRouter } from "next/navigation";
import { type FormEvent, useCallback, useEffect, useState } from "react";
import { ApiError } from "@/api/api-error";
import { redeemCode, verifyKey } from "@/api/sign-in";
import { startSession } from "@/api/token";
import { useSession } from "@/api/use-session";
import { Button, LinkButton } from "@/components/ui/button";
import { TextField } from "@/components/ui/field";
import { Icon } from "@/components/ui/icon";
import { ErrorNotice, Notice } from "@/components/ui/notice";
import { Waiting } from "@/components/ui/waiting";
import { codeIn, returnPath } from "./return-path";
import styles from "./session.module.css";

type Progress =
  | { at: "asking" }
  | { at: "checking"; what: "key" | "link" }
  | { at: "refused"; what: "key" | "link"; error: ApiError };

/** Sign in with a key, or by a one-time link whose code stands in the address. */
export function SignIn() {
  const state = useSession();
  const router = useRouter();
  const [progress, setProgress] = useState<Progress>({ at: "asking" });

  const signIn = useCallback(
    async (what: "key" | "link", token: Promise<string>) => {
      setProgress({ at: "checking", what });
      try {
        startSession(await token);
        router.replace(returnPath(new URLSearchParams(window.location.search).get("next"), window.location.origin));
      } catch (error) {
        setProgress({ at: "refused", what, error: asApiError(error) });
      }
    },
    [router],
  );

  useEffect(() => {
    const takeCode = () => {
      const code = codeIn(window.location.hash);
      if (code) {
        // At once: who looks over a shoulder or into the history finds no code there.
        window.history.replaceState(window.history.state, "", window.location.pathname + window.location.search);
        void signIn("link", redeemCode(code));
      }
    };
    takeCode();
    window.addEventListener("hashchange", takeCode);
    return () => window.removeEventListener("hashchange", takeCode);
  }, [signIn]);

  const checking = progress.at === "checking" ? progress.what : null;
  return (
    <div className={styles.page}>
      <main className={styles.card}>
        <p className={styles.brand}>
          <Icon name="boat" size={28} />
          Wherry Studio
        </p>
        <h1>Sign in</h1>
        {state?.ended ? <Notice tone="warning" alert title={state.ended} /> : null}
        {progress.at === "refused" ? <Refusal what={progress.what} error={progress.error} /> : null}
        {checking === "link" ? (
          <Waiting>Signing in by the link…</Waiting>
        ) : (
          <KeyForm
            checking={checking === "key"}
            refused={progress.at === "refused"}
            onKey={(key) => signIn("key", verifyKey(key))}
          />
        )}
        {state?.session && !checking ? <Already role={state.session.role} /> : null}
      </main>
    </div>
  );
}

function KeyForm({ checking, refused, onKey }: { checking: boolean; refused: boolean; onKey: (key: string) => void }) {
  const [key, setKey] = useState("");
  const [shown, setShown] = useState(false);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!checking) {
      onKey(key);
    }
  };
  return (
    <form className={styles.form} onSubmit={submit}>
      <TextField
        label="Key"
        name="key"
        type={shown ? "text" : "password"}
        value={key}
        onChange={(event) => setKey(event.target.value)}
        aria-invalid={refused}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        hint={
          <>
            The <code>anon</code> or <code>service_role</code> key, or any token of your application. The command{" "}
            <code>wherry keys</code> prints the keys. It is kept until this tab is closed.
          </>
        }
      >
        <Button aria-pressed={shown} onClick={() => setShown(!shown)}>
          Show<span className="visually-hidden"> the key</span>
        </Button>
      </TextField>
      <Button type="submit" look="primary" aria-disabled={checking}>
        {checking ? "Checking the key…" : "Sign in"}
      </Button>
    </form>
  );
}

function Refusal({ what, error }: { what: "key" | "link"; error: ApiError }) {
  return <ErrorNotice error={what === "key" ? aboutKey(error) : aboutLink(error)} />;
}

function aboutKey(error: ApiError) {
  if (!error.refusesToken) {
    return error;
  }
  return error.code === "PGRST303"
    ? { message: "This key does not hold", details: error.message, hint: "Ask for a new one." }
    : {
        message: "The server does not accept this key",
        details: error.details ?? error.message,
        hint: "Copy it whole, and from the server of this page: every server has its own secret, and its own keys.",
      };
}

function aboutLink(error: ApiError) {
  return error.status !== 401
    ? error
    : {
        message: "This link no longer signs in",
        details: "A link works once, for ten minutes.",
        hint: "Make a new one with the command wherry link, or sign in with a key.",
      };
}

function Already({ role }: { role: string }) {
  return (
    <Notice title={`You are signed in as ${role}`} actions={<LinkButton href="/">Go on</LinkButton>}>
      <p>Another key takes its place.</p>
    </Notice>
  );
}

function asApiError(error: unknown): ApiError {
  return error instanceof ApiError
    ? error
    : new ApiError(0, { message: "Signing in failed", hint: "Reload the page and try again." }, { cause: error });
}
