import { html } from "hono/html";
import { failure, layout } from "#server/ui/layout.ts";
import type { Markup } from "#server/ui/markup.ts";

/** Asks for the token; `next` is where to go with it. */
export function loginPage({ next, error }: { next: string; error?: string }): Markup {
  return layout({
    title: "Sign in",
    kind: "login",
    body: html`
      <section class="card narrow">
        <h1>Sign in</h1>
        ${failure(error)}
        <form method="post" action="/ui/login" class="stack">
          <input type="hidden" name="next" value="${next}">
          <input type="text" name="username" value="admin" autocomplete="username" hidden>
          <label for="token">Token</label>
          <input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
          <button class="primary">Sign in</button>
        </form>
        <p class="hint">
          The daemon printed it on its first start and keeps it in the file <code>token</code> of its data folder.
        </p>
      </section>`,
  });
}

/** Where a login leads: a place of our own, whatever was asked for. */
export function safeNext(next: string | undefined): string {
  const home = "http://home.invalid";
  if (!next?.startsWith("/") || !URL.canParse(next, home)) return "/";
  const { origin, pathname, search } = new URL(next, home);
  // Two slashes, or a slash and a backslash, would lead to another host.
  return origin === home && !/^\/[\\/]/.test(pathname) ? pathname + search : "/";
}
