import type { NextConfig } from "next";
import { PHASE_DEVELOPMENT_SERVER } from "next/constants";
import { buildId } from "./scripts/build-id.mjs";

const everywhere: NextConfig = {
  // /health/ is health/index.html: a static server needs no rules for it.
  trailingSlash: true,
  poweredByHeader: false,
  productionBrowserSourceMaps: false,
  images: { unoptimized: true },
  reactStrictMode: true,
  // The revision, if whoever builds says it; Next would draw a number, and no two builds would be alike.
  generateBuildId: () => process.env.REVISION?.trim() || buildId(import.meta.dirname),
  turbopack: { root: import.meta.dirname },
};

/** While developing, `next dev` hands the API on to a server of its own; what is built asks its own origin. */
const server = process.env.WHERRY_SERVER ?? "http://127.0.0.1:4000";
const developing: NextConfig = {
  ...everywhere,
  // Next would redirect /api/… to /api/…/, which is another resource for the server.
  skipTrailingSlashRedirect: true,
  rewrites: async () => ["/api/:path*", "/healthz"].map((source) => ({ source, destination: `${server}${source}` })),
};

export default function config(phase: string): NextConfig {
  return phase === PHASE_DEVELOPMENT_SERVER ? developing : { ...everywhere, output: "export" };
}
