import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Route } from "#server/route.ts";

const assets = {
  "status.css": "text/css; charset=utf-8",
  "status.js": "text/javascript; charset=utf-8",
  "icon.svg": "image/svg+xml",
} as const;

/** The files that pages are made of, which tell nothing about anybody. */
export const assetRoutes = (): Route[] =>
  Object.entries(assets).map(([name, type]) => {
    const content = readFileSync(new URL(name, import.meta.url), "utf8");
    const etag = `"${createHash("sha256").update(content).digest("hex").slice(0, 16)}"`;
    return {
      method: "GET",
      path: `/ui/${name}`,
      id: `Asset ${name}`,
      summary: `Part of the status page: ${name}`,
      needs: "view",
      answers: { 200: "The file." },
      handle: (c) => {
        c.header("ETag", etag);
        c.header("Cache-Control", "no-cache");
        if (c.req.header("If-None-Match") === etag) return c.body(null, 304);
        c.header("Content-Type", type);
        return c.body(content);
      },
    };
  });
