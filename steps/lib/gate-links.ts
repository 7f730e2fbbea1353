import { z } from "zod";
import type { GateLinkRequest } from "#core/gate.ts";
import { maxLinkMilliseconds } from "#core/promotion/gate-links.ts";
import { Duration, parseDuration } from "#core/resources/duration.ts";

export const LinkConfig = z.strictObject({
  expireAfter: Duration.refine(isLifetime, "must be longer than nothing and at most 720h")
    .default("24h")
    .describe("How long the links are good for, from when the step was started."),
  for: z
    .string()
    .min(1)
    .optional()
    .describe("Whom they are made for; whoever uses them answers as `link:` and this name."),
});

export const LinkOutput = z.object({
  release: z.string().describe("Address that releases the gate."),
  deny: z.string().describe("Address that denies it."),
  expiresAt: z.iso.datetime().describe("Until when they are good."),
});

/** Counted from the step's start, so that the links are the same however often they are asked for. */
export function linkRequest(startedAt: string, config: z.infer<typeof LinkConfig>): GateLinkRequest {
  const expiresAt = Date.parse(startedAt) + (parseDuration(config.expireAfter) ?? 0);
  return {
    expiresAt: new Date(expiresAt).toISOString(),
    ...(config.for !== undefined && { madeFor: config.for }),
  };
}

function isLifetime(text: string): boolean {
  const milliseconds = parseDuration(text) ?? 0;
  return milliseconds > 0 && milliseconds <= maxLinkMilliseconds;
}
