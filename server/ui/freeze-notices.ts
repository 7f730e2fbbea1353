import { html } from "hono/html";
import { describeScope, type FreezeSpec } from "#core/stages/freeze.ts";
import type { Markup } from "#server/ui/markup.ts";
import type { PipelineView } from "#server/ui/pipeline-view.ts";
import { moment } from "#server/ui/time.ts";

/** What is frozen, by whom and why, and the buttons to end it or to stop the line. */
export function freezeNotices({ project, freezes }: PipelineView, mayPromote: boolean): Markup {
  const isStopped = freezes.some(({ stage }) => stage === undefined);
  return html`
    ${freezes.map((freeze) => notice(project, freeze, mayPromote))}
    ${mayPromote && !isStopped ? stopForm(project) : ""}`;
}

function notice(project: string, freeze: FreezeSpec, mayPromote: boolean): Markup {
  // One of everything is ended where it was made: for all projects at once.
  const mayEnd = mayPromote && freeze.project !== undefined;
  const what = describeScope(freeze);
  return html`
    <div class="notice notice-bad frozen" role="status">
      <p>${what} is frozen: ${freeze.reason} <span class="hint">${freeze.actor}, ${moment(freeze.since)}</span></p>
      ${
        mayEnd
          ? html`
            <form method="post" action="/ui/projects/${project}/unfreeze">
              ${freeze.stage ? html`<input type="hidden" name="stage" value="${freeze.stage}">` : ""}
              <button aria-label="Unfreeze ${what}">Unfreeze</button>
            </form>`
          : ""
      }
    </div>`;
}

function stopForm(project: string): Markup {
  return html`
    <details class="stop">
      <summary>Stop the line</summary>
      <form method="post" action="/ui/projects/${project}/freeze" class="row">
        <label class="unseen" for="freeze-reason">Reason to stop</label>
        <input id="freeze-reason" name="reason" required maxlength="1024" placeholder="Reason to stop">
        <button id="freeze">Freeze ${project}</button>
      </form>
    </details>`;
}
