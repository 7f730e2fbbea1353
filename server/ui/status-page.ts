import { html } from "hono/html";
import type { Freight } from "#core/resources/freight.ts";
import type { Warehouse } from "#core/resources/warehouse.ts";
import { freezeNotices } from "#server/ui/freeze-notices.ts";
import { contentsList, freightLabel } from "#server/ui/freight-markup.ts";
import { gateCard } from "#server/ui/gate-card.ts";
import { failure, layout, signOut } from "#server/ui/layout.ts";
import type { Markup } from "#server/ui/markup.ts";
import { foundAt, type PipelineView, type StatusView } from "#server/ui/pipeline-view.ts";
import { stageCard } from "#server/ui/stage-card.ts";
import { moment } from "#server/ui/time.ts";

/** What is going on, and the buttons to act on it. */
export function statusPage(view: StatusView, error?: string): Markup {
  const { pipeline, projects } = view;
  return layout({
    title: pipeline?.project ?? "No projects",
    kind: "status",
    // What was refused was a form's own address, which cannot be asked for.
    self: error && pipeline ? `/?project=${encodeURIComponent(pipeline.project)}` : undefined,
    head: html`${projectList(projects, pipeline?.project)} ${signOut()}`,
    body: html`
      ${failure(error)}
      ${gateSection(view)}
      ${pipeline ? pipelineSections(pipeline, view.mayPromote) : nothingYet()}`,
  });
}

function projectList(projects: readonly string[], current: string | undefined): Markup {
  return html`
    <nav aria-label="Projects" class="projects">
      ${projects.map(
        (name) =>
          html`<a href="/?project=${encodeURIComponent(name)}" ${name === current ? html`aria-current="page"` : ""}>${name}</a>`,
      )}
    </nav>`;
}

function nothingYet(): Markup {
  return html`
    <section class="card narrow" id="nothing">
      <h1>No projects yet</h1>
      <p>Apply a pipeline, and it appears here:</p>
      <pre>npm run -s towpath -- apply -f examples/quickstart</pre>
    </section>`;
}

function gateSection({ gates }: StatusView): Markup | "" {
  if (gates.length === 0) return "";
  return html`
    <section id="gates" aria-labelledby="gates-title">
      <h2 id="gates-title">Waiting for an answer</h2>
      <div class="gates">${gates.map(({ gate, mayAnswer }) => gateCard(gate, mayAnswer))}</div>
    </section>`;
}

function pipelineSections(pipeline: PipelineView, mayPromote: boolean): Markup {
  const { columns, project } = pipeline;
  return html`
    <h1 id="project">${project}</h1>
    ${freezeNotices(pipeline, mayPromote)}
    ${warehouseProblems(pipeline.warehouses)}
    <section id="stages" aria-labelledby="stages-title">
      <h2 id="stages-title">Stages</h2>
      ${columns.length === 0 ? html`<p class="empty">This project has no stages yet.</p>` : ""}
      <div class="pipeline">
        ${columns.map(
          (column) => html`<div class="column">${column.map((stage) => stageCard(stage, mayPromote))}</div>`,
        )}
      </div>
    </section>
    ${freightSection(pipeline)}`;
}

/** A warehouse that cannot look is why nothing new arrives. */
function warehouseProblems(warehouses: readonly Warehouse[]): Markup {
  const broken = warehouses.flatMap(({ metadata, status }) => {
    const condition = status?.conditions?.find(
      ({ type, status: state }) => type === "Ready" && state === "False",
    );
    return condition?.message ? [{ name: metadata.name, message: condition.message }] : [];
  });
  return html`${broken.map(
    ({ name, message }) =>
      html`<p class="notice notice-bad" id="warehouse-${name}" role="status">Warehouse ${name}: ${message}</p>`,
  )}`;
}

function freightSection({ freight, hasOlderFreight }: PipelineView): Markup {
  return html`
    <section id="freight" aria-labelledby="freight-title">
      <h2 id="freight-title">Freight</h2>
      ${freight.length === 0 ? html`<p class="empty">No freight yet: the warehouses have found nothing so far.</p>` : freightTable(freight)}
      ${hasOlderFreight ? html`<p class="hint">There is older freight too.</p>` : ""}
    </section>`;
}

function freightTable(freight: readonly Freight[]): Markup {
  const rows = freight.map(
    (one) => html`
      <tr id="freight-${one.metadata.name}">
        <th scope="row">${freightLabel(one)}</th>
        <td>${contentsList(one)}</td>
        <td>${placesOf(one)}</td>
        <td>${moment(foundAt(one))}</td>
      </tr>`,
  );
  return html`
    <div class="scroll" tabindex="0" role="region" aria-labelledby="freight-title">
      <table>
        <thead><tr><th scope="col">Name</th><th scope="col">Contents</th><th scope="col">Stages</th><th scope="col">Found</th></tr></thead>
        <tbody>${rows}</tbody>
      </table>
    </div>`;
}

function placesOf({ status }: Freight): Markup {
  const places = [
    ...Object.keys(status?.currentlyIn ?? {}).map((stage) => `in ${stage}`),
    ...Object.keys(status?.verifiedIn ?? {}).map((stage) => `verified in ${stage}`),
    ...Object.keys(status?.approvedFor ?? {}).map((stage) => `approved for ${stage}`),
  ];
  return html`<ul class="tags">${places.map((place) => html`<li>${place}</li>`)}</ul>`;
}
