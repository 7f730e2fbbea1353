import { html } from "hono/html";
import type { Gate } from "#core/promotion/gates.ts";
import type { Markup } from "#server/ui/markup.ts";
import { moment } from "#server/ui/time.ts";

/** Where a gate has its own page. */
export function gatePath({ project, promotion, step }: Pick<Gate, "project" | "promotion" | "step">): string {
  return `/gates/${[project, promotion, step].map(encodeURIComponent).join("/")}`;
}

/** A gate and the two answers to it. */
export function gateCard(gate: Gate, mayDecide: boolean): Markup {
  const id = `gate-${gate.project}-${gate.promotion}-${gate.step}`;
  return html`
    <article class="card gate" id="${id}" aria-labelledby="${id}-message">
      <h3 id="${id}-message"><a href="${gatePath(gate)}">${gate.message || `Gate ${gate.step}`}</a></h3>
      <p class="hint">
        ${gate.project} / ${gate.stage}, step ${gate.step}, open since ${moment(gate.openedAt)}
        ${gate.expiresAt ? html`, until ${moment(gate.expiresAt)}` : ""}
      </p>
      ${mayDecide ? decisionForm(gate, id) : ""}
    </article>`;
}

function decisionForm(gate: Gate, id: string): Markup {
  return html`
    <form method="post" action="${gatePath(gate)}" class="row">
      <label class="unseen" for="${id}-why">Why</label>
      <input id="${id}-why" name="message" placeholder="Why (optional)" maxlength="4096">
      <button class="primary" name="decision" value="release" id="${id}-release">Release</button>
      <button class="danger" name="decision" value="deny" id="${id}-deny">Deny</button>
    </form>`;
}

const words: Record<Gate["state"], string> = {
  open: "open",
  released: "released",
  denied: "denied",
  timedOut: "over: nobody answered in time",
};

/** How a decided gate ended. */
export function verdict({ state, by, at, answer }: Gate): Markup {
  return html`
    <p>This gate is <strong>${words[state]}</strong>${by ? html` by ${by}` : ""} ${moment(at)}.</p>
    ${answer ? html`<blockquote>${answer}</blockquote>` : ""}`;
}
