import { html } from "hono/html";
import type { Gate } from "#core/promotion/gates.ts";
import { type FormValues, gateForm } from "#server/ui/gate-forms.ts";
import type { Markup } from "#server/ui/markup.ts";
import { moment } from "#server/ui/time.ts";

/** Where a gate has its own page. */
export function gatePath({ project, promotion, step }: Pick<Gate, "project" | "promotion" | "step">): string {
  return `/gates/${[project, promotion, step].map(encodeURIComponent).join("/")}`;
}

/** A gate and the form that answers it; `given` is what somebody has filled in already. */
export function gateCard(gate: Gate, mayAnswer: boolean, given?: FormValues): Markup {
  const id = `gate-${gate.project}-${gate.promotion}-${gate.step}`;
  return html`
    <article class="card gate" id="${id}" aria-labelledby="${id}-message">
      <h3 id="${id}-message"><a href="${gatePath(gate)}">${gate.message || `Gate ${gate.step}`}</a></h3>
      <p class="hint">
        ${gate.project} / ${gate.stage}, step ${gate.step}, open since ${moment(gate.openedAt)}${gate.expiresAt ? html`, closes ${moment(gate.expiresAt)}` : ""}
      </p>
      ${responseList(gate)}
      ${mayAnswer ? gateForm(gate, gatePath(gate), id, given) : ""}
    </article>`;
}

/** Who has approved or rejected, and with which words. */
function responseList({ responses = [] }: Gate): Markup | "" {
  if (responses.length === 0) return "";
  const line = ({ user, action, time, message }: (typeof responses)[number]) =>
    html`<li>${user} ${action === "approve" ? "approved" : "rejected"} ${moment(time)}${message ? `: ${message}` : ""}</li>`;
  return html`<ul>${responses.map(line)}</ul>`;
}

const words: Record<Gate["state"], string> = {
  open: "open",
  released: "released",
  denied: "denied",
  timedOut: "over: nobody answered in time",
};

const ways: Record<NonNullable<Gate["via"]>, string> = {
  page: "a page",
  cli: "the command line",
  api: "the API",
  link: "a link",
  step: "a step",
  command: "the gate's command",
};

/** How a decided gate ended. */
export function verdict(gate: Gate): Markup {
  const { state, by, at, answer, message, via } = gate;
  const through = via === undefined ? "" : ` through ${ways[via]}`;
  return html`
    <h2>${message}</h2>
    <p>This gate is <strong>${words[state]}</strong>${by ? html` by ${by}${through}` : ""} ${moment(at)}.</p>
    ${responseList(gate) || (answer ? html`<blockquote>${answer}</blockquote>` : "")}`;
}
