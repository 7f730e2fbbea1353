import { html } from "hono/html";
import type { Markup } from "#server/ui/markup.ts";

/** The frame of every page. `kind` tells the script what the page can do. */
export function layout(page: {
  title: string;
  kind: "status" | "gate" | "link" | "login" | "refused";
  head?: Markup;
  body: Markup;
  /** Where the page is found anew; the address it was asked from when absent. */
  self?: string;
}): Markup {
  return html`<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>${page.title} · Towpath</title>
    <link rel="icon" href="/ui/icon.svg" type="image/svg+xml">
    <link rel="stylesheet" href="/ui/status.css">
    <script src="/ui/status.js" type="module"></script>
  </head>
  <body data-page="${page.kind}"${page.self ? html` data-self="${page.self}"` : ""}>
    <a class="skip" href="#main">Skip to the contents</a>
    <header class="bar">
      <a class="brand" href="/"><img src="/ui/icon.svg" alt="" width="24" height="24">Towpath</a>
      ${page.head ?? ""}
    </header>
    <p id="connection" class="notice notice-bad" role="status" hidden>
      The connection is lost; what you see may be old. Trying again …
    </p>
    <main id="main" tabindex="-1">${page.body}</main>
  </body>
</html>`;
}

/** Ends the session. */
export function signOut(): Markup {
  return html`<form method="post" action="/ui/logout"><button class="quiet">Sign out</button></form>`;
}

/** Something that went wrong, told where it is seen first. */
export function failure(message: string | undefined): Markup | "" {
  return message ? html`<p class="notice notice-bad" role="alert" id="failure">${message}</p>` : "";
}
