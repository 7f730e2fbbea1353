import { html } from "hono/html";
import { z } from "zod";
import type { Stage } from "#core/resources/stage.ts";
import { keys } from "#core/stages/keys.ts";
import type { Markup } from "#server/ui/markup.ts";
import type { StageView } from "#server/ui/pipeline-view.ts";

const shownIssues = 3;

/** Why a stage is not healthy. That its last promotion failed is told elsewhere. */
export function healthIssues({ status }: Stage): Markup | "" {
  const { status: state, issues = [] } = status?.health ?? {};
  const isTold = status?.lastPromotion?.status?.phase !== "Succeeded";
  if (state === "Healthy" || issues.length === 0 || isTold) return "";
  const more = issues.length - shownIssues;
  return html`
    ${issues.slice(0, shownIssues).map((issue) => html`<p class="message">${issue}</p>`)}
    ${more > 0 ? html`<p class="hint">and ${more} more</p>` : ""}`;
}

const Applications = z.array(z.object({ name: z.string(), namespace: z.string().default("") }));

/** The Argo CD Applications of the stage, each with its link where it is known. */
export function applications({ stage, argo }: StageView): Markup | "" {
  const apps = readApplications(stage.metadata.annotations?.[keys.argocdContext]);
  if (apps.length === 0) return "";
  const links = apps.map(({ name, namespace }, index) => {
    const separator = index === 0 ? "" : ", ";
    if (argo === undefined) return html`${separator}${name}`;
    const path = [namespace || argo.namespace, name].map(encodeURIComponent).join("/");
    return html`${separator}<a href="${argo.url}/applications/${path}" rel="noreferrer">${name}</a>`;
  });
  return html`<p class="hint">At Argo CD: ${links}</p>`;
}

/** Annotations are anybody's who may edit the stage. */
function readApplications(text: string | undefined): z.infer<typeof Applications> {
  if (text === undefined) return [];
  try {
    return Applications.parse(JSON.parse(text));
  } catch {
    return [];
  }
}
