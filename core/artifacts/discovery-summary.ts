import type { SubscriptionReport } from "#core/artifacts/discovery.ts";
import { summarize } from "#core/artifacts/selection.ts";
import type { SubscriptionSummary } from "#core/resources/warehouse.ts";
import { toTime } from "#core/stages/times.ts";

/** More kinds of reasons than this are not told in a status. */
const maxReasons = 20;

/** What a status says of each look; where nothing had changed, what the look before it saw still holds. */
export function summarizeReports(
  reports: readonly SubscriptionReport[],
  before: readonly SubscriptionSummary[] | undefined,
  now: Date,
  mask: (text: string) => string,
): SubscriptionSummary[] {
  return reports.map(({ kind, repoURL, name, chosen, leftOut, unchanged, failure }, index) => {
    const earlier = before?.[index];
    const reasons =
      unchanged && earlier !== undefined ? earlier.leftOut : summarize(leftOut).slice(0, maxReasons);
    return {
      kind,
      repoURL,
      ...(name === undefined ? {} : { name }),
      lastLookedAt: toTime(now),
      chosen: chosen.length,
      leftOut: reasons,
      ...(failure === undefined ? {} : { failure: mask(failure.message) }),
    };
  });
}
