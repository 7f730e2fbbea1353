import { html } from "hono/html";
import type { Freight, FreightReference } from "#core/resources/freight.ts";
import type { Markup } from "#server/ui/markup.ts";

/** What people call freight: its alias, or the start of its name. */
export function freightLabel(freight: Freight): string {
  return freight.alias || freight.metadata.name.slice(0, 12);
}

/** What is in freight, in few words: `v1.2.0`, `app:1.4`, `chart 2.0`. */
export function contentsOf({ commits = [], images = [], charts = [] }: Freight | FreightReference): string[] {
  return [
    ...commits.map(({ tag, id, repoURL }) =>
      `${lastSegment(repoURL)} ${tag ?? id?.slice(0, 7) ?? ""}`.trim(),
    ),
    ...images.map(
      ({ repoURL, tag, digest }) => `${lastSegment(repoURL)}:${tag ?? digest?.slice(7, 19) ?? ""}`,
    ),
    ...charts.map(({ name, repoURL, version }) => `${name || lastSegment(repoURL)} ${version ?? ""}`.trim()),
  ];
}

export function contentsList(freight: Freight | FreightReference): Markup {
  return html`<ul class="tags">${contentsOf(freight).map((text) => html`<li>${text}</li>`)}</ul>`;
}

function lastSegment(url: string): string {
  return (
    url
      .replace(/\/$/, "")
      .replace(/\.git$/, "")
      .split("/")
      .at(-1) ?? url
  );
}
