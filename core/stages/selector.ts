import { parseNamePattern } from "#core/artifacts/patterns.ts";
import { matchesLabels, type NameOrLabelSelector } from "#core/resources/label-selector.ts";
import type { ObjectMeta } from "#core/resources/resource.ts";

/** Whether a policy or a window is for the stage or project; without a name or labels it is for all. Throws when a pattern cannot be read. */
export function isSelected(
  { name, ...labels }: NameOrLabelSelector,
  metadata: Pick<ObjectMeta, "name" | "labels">,
): boolean {
  if (name && !parseNamePattern(name, "the selector's name")(metadata.name)) return false;
  return matchesLabels(labels, metadata.labels);
}
