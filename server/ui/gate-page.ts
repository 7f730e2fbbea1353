import { html } from "hono/html";
import type { Gate } from "#core/promotion/gates.ts";
import { gateCard, verdict } from "#server/ui/gate-card.ts";
import type { FormValues } from "#server/ui/gate-forms.ts";
import { failure, layout, signOut } from "#server/ui/layout.ts";
import type { Markup } from "#server/ui/markup.ts";

/** One gate by itself. Seeing it decides nothing, so that a link to it may be looked at by anything. */
export function gatePage(
  gate: Gate,
  mayAnswer: boolean,
  refused?: { error: string; given?: FormValues },
): Markup {
  return layout({
    title: `Gate ${gate.step}`,
    // What went wrong, and what was filled in, stays until somebody has read it.
    kind: refused === undefined ? "gate" : "refused",
    head: signOut(),
    body: html`
      ${failure(refused?.error)}
      <h1>Gate of ${gate.project} / ${gate.stage}</h1>
      <p class="hint">Promotion ${gate.promotion}</p>
      ${gate.state === "open" ? gateCard(gate, mayAnswer, refused?.given) : verdict(gate)}
      <p><a href="/?project=${encodeURIComponent(gate.project)}">To the pipeline</a></p>`,
  });
}
