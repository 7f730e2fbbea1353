import type { Freight } from "#core/resources/freight.ts";

const prefix = "event.kargo.akuity.io/";

/** What Kargo notes on an event about freight and a stage, so that its readers need not look things up. */
export function freightEventAnnotations(
  freight: Freight,
  stage: string,
  actor: string,
): Record<string, string> {
  const { metadata, origin, alias, commits, images, charts } = freight;
  const lists = { "freight-commits": commits, "freight-images": images, "freight-charts": charts };
  const notes: Record<string, string | undefined> = {
    actor,
    project: metadata.namespace,
    "freight-name": metadata.name,
    "freight-create-time": metadata.creationTimestamp,
    "freight-warehouse-name": origin.name,
    "freight-alias": alias,
    "stage-name": stage,
  };
  for (const [name, list] of Object.entries(lists)) if (list?.length) notes[name] = JSON.stringify(list);
  const given = Object.entries(notes).filter((note): note is [string, string] => Boolean(note[1]));
  return Object.fromEntries(given.map(([name, value]) => [prefix + name, value]));
}
