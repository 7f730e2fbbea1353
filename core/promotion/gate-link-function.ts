import type { HostFunction } from "#core/expressions/functions.ts";
import { gateLinkSignatures } from "#core/expressions/kargo-functions.ts";
import { aliasSeparator, splitAlias } from "#core/promotion/alias.ts";
import { type GateLinks, maxLinkMilliseconds, mintForPipeline } from "#core/promotion/gate-links.ts";
import type { PromotionRun } from "#core/promotion/run.ts";
import { parseDuration } from "#core/resources/duration.ts";

const defaultLifetime = "24h";

/**
 * `gateLink(step, decision [, lifetime [, for]])`: the address that decides a gate of this promotion, for steps
 * that come before it to send. Steps of a task know each other by their short names.
 */
export function gateLinkFunction(
  run: Pick<PromotionRun, "project" | "promotion" | "uid" | "steps">,
  alias: string,
  { links, now }: { links: GateLinks | undefined; now(): Date },
): HostFunction {
  const { task } = splitAlias(alias);
  return {
    minArgs: 2,
    maxArgs: 4,
    signatures: gateLinkSignatures,
    call([name, decision, lifetime = defaultLifetime, madeFor]) {
      const step = task === undefined ? String(name) : `${task}${aliasSeparator}${name}`;
      if (!run.steps.some((each) => each.as === step))
        throw new Error(`there is no step "${name}" to link to`);
      if (decision !== "release" && decision !== "deny")
        throw new Error(`a link can "release" or "deny", not "${decision}"`);
      const milliseconds = parseDuration(String(lifetime)) ?? 0;
      if (milliseconds <= 0 || milliseconds > maxLinkMilliseconds)
        throw new Error(`a link is good for a time such as 2h, and at most 720h; not for "${lifetime}"`);
      if (links === undefined) throw new Error("links to gates are there where a daemon runs the promotion");
      return mintForPipeline(links, {
        project: run.project,
        promotion: run.promotion,
        promotionUid: run.uid,
        step,
        decision,
        expiresAt: new Date(now().getTime() + milliseconds),
        ...(madeFor !== undefined && { madeFor: String(madeFor) }),
      });
    },
  };
}
