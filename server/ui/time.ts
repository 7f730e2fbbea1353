import { html } from "hono/html";
import type { Markup } from "#server/ui/markup.ts";

/** A moment; the script makes "5 minutes ago" of it. */
export function moment(at: string | undefined): Markup | "" {
  return at ? html`<time datetime="${at}">${at.slice(0, 16).replace("T", " ")} UTC</time>` : "";
}
