import type { Rule, Selection } from "#core/artifacts/selection.ts";
import { applyRules, beyondLimit, firstReason, limitOf } from "#core/artifacts/selection.ts";
import { versionRules } from "#core/artifacts/tag-rules.ts";
import { newestVersionFirst, parseVersion } from "#core/artifacts/version.ts";
import type { ChartSubscription } from "#core/resources/warehouse.ts";

/** The versions of a chart that the subscription chooses, the best first. */
export function selectVersions(
  subscription: ChartSubscription,
  versions: readonly string[],
): Selection<string> {
  const { chosen, leftOut } = applyRules(versions, rulesFor(subscription));
  const sorted = chosen
    .flatMap((version) => parseVersion(version) ?? [])
    .sort(newestVersionFirst)
    .map(({ original }) => original);
  const limit = limitOf(subscription);
  leftOut.push(...sorted.slice(limit).map((name) => ({ name, reason: beyondLimit(limit) })));
  return { chosen: sorted.slice(0, limit), leftOut };
}

/** Whether the subscription could take this version; used by webhooks. */
export function couldTakeVersion(subscription: ChartSubscription, version: string): boolean {
  return firstReason(version, rulesFor(subscription)) === undefined;
}

/** In an OCI registry the tags are versions, whole ones only, with `_` for the `+` that tags cannot hold. */
export function versionsOfTags(tags: readonly string[]): string[] {
  return tags
    .map((tag) => tag.replaceAll("_", "+"))
    .filter((tag) => !tag.startsWith("v") && parseVersion(tag, { strict: true }) !== undefined);
}

function rulesFor({ semverConstraint }: ChartSubscription): Rule[] {
  return versionRules({ strict: false, constraint: semverConstraint, field: "semverConstraint" });
}
