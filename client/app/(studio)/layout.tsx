import type { ReactNode } from "react";
import { Frame } from "@/components/frame";
import { Account } from "@/features/session/account";
import { SignedIn } from "@/features/session/signed-in";

const ROOMS = [
  { name: "Tables", path: "/", icon: "table", also: ["/tables/"] },
  { name: "Health", path: "/health/", icon: "pulse" },
] as const;

export default function StudioLayout({ children }: { children: ReactNode }) {
  return (
    <Frame rooms={ROOMS} account={<Account />}>
      <SignedIn>{children}</SignedIn>
    </Frame>
  );
}
