import { html } from "hono/html";
import type { OpenLink } from "#server/api/gate-link-use.ts";
import { layout } from "#server/ui/layout.ts";
import type { Markup } from "#server/ui/markup.ts";
import { moment } from "#server/ui/time.ts";

const verbs = {
  release: { ask: "Release", class: "primary" },
  deny: { ask: "Deny", class: "danger" },
} as const;
const voices = {
  release: { ask: "Approve", class: "primary" },
  deny: { ask: "Reject", class: "danger" },
} as const;

/** Asks whether the link is meant. Looking at it decides nothing, so that previews of messages do no harm. */
export function gateLinkPage({ link, gate }: OpenLink): Markup {
  const { ask, class: kind } = (gate.asks === undefined ? verbs : voices)[link.decision];
  return page(
    `${ask} ${gate.step}?`,
    html`
      <h1 id="question">${gate.message || `Gate ${gate.step}`}</h1>
      <p>
        Promotion ${gate.promotion} to <strong>${gate.project} / ${gate.stage}</strong> waits at step
        ${gate.step} since ${moment(gate.openedAt)}.
      </p>
      <p class="hint">
        This link works once and expires ${moment(link.expiresAt.toISOString())}. What you decide is recorded as
        decided by ${link.holder.user}${link.madeFor ? html`, through a link for ${link.madeFor}` : ""}.
      </p>
      <form method="post" class="stack" aria-labelledby="question">
        <label for="why">Why (optional)</label>
        <input id="why" name="message" maxlength="4096" autocomplete="off">
        <button class="${kind}" id="confirm" name="decision" value="${link.decision}">${ask}</button>
      </form>`,
  );
}

/** What came of it. */
export function gateLinkDone({ link, gate }: OpenLink): Markup {
  const said =
    gate.asks === undefined
      ? { release: "released", deny: "denied" }
      : { release: "approved", deny: "rejected" };
  const more = gate.state === "open" ? " It waits for more people to approve." : "";
  return page(
    `${gate.step} ${said[link.decision]}`,
    html`
      <h1 id="done">You have ${said[link.decision]} ${gate.step} of ${gate.project} / ${gate.stage}</h1>
      <p>${gate.message}</p>
      <p role="status">It is on record.${more}</p>`,
  );
}

/** Why a link decides nothing; as much as anybody may know who has it. */
export function gateLinkRefused(error: string): Markup {
  const why = error.replace(/^This link decides nothing: /, "");
  return page(
    "This link decides nothing",
    html`
      <h1>This link decides nothing</h1>
      <p class="notice notice-bad" role="alert">${why.slice(0, 1).toUpperCase()}${why.slice(1)}</p>
      <p class="hint">Sign in to see how the gate stands: <a href="/">to the pipelines</a></p>`,
  );
}

function page(title: string, body: Markup): Markup {
  return layout({ title, kind: "link", body: html`<section class="card narrow">${body}</section>` });
}
