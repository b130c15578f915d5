"use client";

import { useState } from "react";
import { Button } from "./button";
import { Icon } from "./icon";

type Outcome = "none" | "copied" | "failed";

const SAID: Record<Outcome, string> = { none: "Copy", copied: "Copied", failed: "Could not copy" };

/** Put a text onto the clipboard, and say whether that worked. */
export function CopyButton({ text, of }: { text: string /** What is copied, for screen readers. */; of: string }) {
  const [outcome, setOutcome] = useState<Outcome>("none");
  const copy = async () => {
    try {
      // Not there on pages that came by plain http from another machine.
      await navigator.clipboard.writeText(text);
      setOutcome("copied");
    } catch {
      setOutcome("failed");
    }
  };
  return (
    <Button look="quiet" onClick={copy}>
      <Icon name={outcome === "copied" ? "done" : "copy"} />
      <span>
        <span aria-live="polite">{SAID[outcome]}</span> <span className="visually-hidden">{of}</span>
      </span>
    </Button>
  );
}
