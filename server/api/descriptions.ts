import type { Resource } from "#core/resources/resource.ts";
import { keys } from "#server/api/keys.ts";

/** What people say about a Secret or ConfigMap, kept in annotations. */
export interface Notes {
  /** "" takes it away; undefined leaves it. */
  description?: string | undefined;
  /** Whether copies go to all projects; undefined leaves it. */
  replicate?: boolean | undefined;
}

export function setNotes({ metadata }: Resource, { description, replicate }: Notes): void {
  const annotations = { ...metadata.annotations };
  if (description !== undefined) assign(annotations, keys.description, description);
  if (replicate !== undefined) assign(annotations, keys.replicateTo, replicate ? "*" : "");
  metadata.annotations = annotations;
}

function assign(annotations: Record<string, string>, key: string, value: string): void {
  if (value === "") delete annotations[key];
  else annotations[key] = value;
}
