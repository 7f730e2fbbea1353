import { html } from "hono/html";
import { stepOf } from "#core/promotion/alias.ts";
import type { Promotion, StepExecutionMetadata } from "#core/resources/promotion.ts";
import type { Stage } from "#core/resources/stage.ts";
import { contentsList, contentsOf, freightLabel } from "#server/ui/freight-markup.ts";
import type { Markup } from "#server/ui/markup.ts";
import type { StageView } from "#server/ui/pipeline-view.ts";
import { upstreamOf } from "#server/ui/pipeline-view.ts";
import { applications, healthIssues } from "#server/ui/stage-health.ts";
import { moment } from "#server/ui/time.ts";

type Tone = "good" | "bad" | "busy" | "idle";

/** One stage: what it holds, what is happening to it, and what could be promoted into it. */
export function stageCard(view: StageView, mayPromote: boolean): Markup {
  const { stage, current } = view;
  const { name } = stage.metadata;
  const { word, tone } = stateOf(view);
  const upstream = upstreamOf(stage);
  return html`
    <article class="card stage" id="stage-${name}" aria-labelledby="stage-${name}-name">
      <header>
        <h3 id="stage-${name}-name">${name}</h3>
        <span class="state state-${tone}">${word}</span>
      </header>
      ${upstream.length > 0 ? html`<p class="hint">after ${upstream.join(", ")}</p>` : ""}
      ${standstill(stage)}
      ${holds(stage)}
      ${current ? running(current) : html`${lastPromotion(stage)}${healthIssues(stage)}`}
      ${applications(view)}
      ${view.waiting > 0 ? html`<p class="hint">${view.waiting} more waiting</p>` : ""}
      ${mayPromote ? promoteForm(view) : ""}
    </article>`;
}

function stateOf({ stage, current, waiting }: StageView): { word: string; tone: Tone } {
  const { status } = stage;
  const verification = status?.freightHistory?.[0]?.verificationHistory?.[0]?.phase;
  if (current) return { word: "Promoting", tone: "busy" };
  if (status?.freeze) return { word: "Frozen", tone: "bad" };
  if (waiting > 0) return { word: "Waiting", tone: "busy" };
  if (verification === "Running" || verification === "Pending") return { word: "Verifying", tone: "busy" };
  const last = status?.lastPromotion?.status?.phase;
  if (last && last !== "Succeeded") return { word: `Promotion ${last.toLowerCase()}`, tone: "bad" };
  if (verification && verification !== "Successful") return { word: "Not verified", tone: "bad" };
  const health = status?.health?.status;
  if (health === "Unhealthy") return { word: "Unhealthy", tone: "bad" };
  if (health === "Progressing") return { word: "Progressing", tone: "busy" };
  if (health === "Unknown") return { word: "Health unknown", tone: "busy" };
  return Object.keys(status?.freightHistory?.[0]?.items ?? {}).length > 0
    ? { word: "Steady", tone: "good" }
    : { word: "Empty", tone: "idle" };
}

/** Why nothing may start, where windows or a freeze of this stage alone say so; wider freezes are told above all stages. */
function standstill({ status }: Stage): Markup | "" {
  const { freeze, promotionWindowStatus: windows } = status ?? {};
  if (freeze?.stage) return html`<p class="message">Frozen by ${freeze.actor}: ${freeze.reason}</p>`;
  if (!windows?.closed) return "";
  return html`
    <p class="hint">Closed: ${windows.reason}${windows.nextOpen ? html`; opens ${moment(windows.nextOpen)}` : ""}</p>`;
}

function holds({ status }: Stage): Markup {
  const held = status?.freightHistory?.[0];
  const items = Object.values(held?.items ?? {});
  if (items.length === 0) return html`<p class="empty">Holds no freight yet.</p>`;
  const { phase, message } = held?.verificationHistory?.[0] ?? {};
  const why = message && phase !== "Successful" ? html`<p class="message">${message}</p>` : "";
  return html`${items.map(contentsList)}${why}`;
}

const marks: Record<string, string> = {
  Succeeded: "✓",
  Skipped: "–",
  Failed: "✕",
  Errored: "✕",
  Aborted: "✕",
  Running: "●",
};

/** The steps of a promotion that is under way; each that has begun links to its log. */
function running({ metadata, spec, status }: Promotion): Markup {
  const records = status?.stepExecutionMetadata ?? [];
  const base = `/v1beta1/projects/${metadata.namespace}/promotions/${encodeURIComponent(metadata.name)}/steps`;
  const begun = new Set(records.map(({ alias = "" }) => stepOf(spec.steps ?? [], alias)));
  const ahead = (spec.steps ?? []).filter((step) => !begun.has(step)).map(({ as = "" }) => ({ alias: as }));
  const steps = [...records, ...ahead].map(({ alias = "", ...record }: StepExecutionMetadata) => {
    const state = record.status ?? "Waiting";
    return html`
      <li class="step step-${state.toLowerCase()}">
        <span aria-hidden="true">${marks[state] ?? "○"}</span>
        ${
          record.status
            ? html`<a href="${base}/${encodeURIComponent(alias)}/log">${alias}</a>`
            : html`<span>${alias}</span>`
        }
        <span class="hint">${state}</span>
        ${record.message && state !== "Succeeded" ? html`<p class="message">${record.message}</p>` : ""}
      </li>`;
  });
  return html`
    <p class="hint">Promotion begun ${moment(status?.startedAt ?? metadata.creationTimestamp)}</p>
    <ol class="steps">${steps}</ol>`;
}

function lastPromotion({ status }: Stage): Markup | "" {
  const last = status?.lastPromotion;
  if (!last?.status?.phase) return "";
  const { phase, message } = last.status;
  return html`
    <p class="hint">Last promotion ${phase.toLowerCase()} ${moment(last.finishedAt ?? last.status.finishedAt)}</p>
    ${phase === "Succeeded" || !message ? "" : html`<p class="message">${message}</p>`}`;
}

function promoteForm({ stage, choices }: StageView): Markup | "" {
  const { name, namespace } = stage.metadata;
  if (choices.length === 0) return "";
  const options = choices.map(
    (freight) =>
      html`<option value="${freight.metadata.name}">${freightLabel(freight)} (${contentsOf(freight).join(", ")})</option>`,
  );
  return html`
    <form method="post" action="/ui/projects/${namespace}/stages/${name}/promote" class="row">
      <label class="unseen" for="freight-${name}">Freight for ${name}</label>
      <select id="freight-${name}" name="freight">${options}</select>
      <button id="promote-${name}" aria-label="Promote to ${name}">Promote</button>
    </form>`;
}
