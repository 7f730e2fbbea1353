import { z } from "zod";
import { StepFailure } from "#core/failure.ts";
import { Duration, parseDuration } from "#core/resources/duration.ts";
import type { Freight } from "#core/resources/freight.ts";
import type { StepContext } from "#core/step.ts";
import { nextOpen, scheduleAt, type Window } from "#core/windows/schedule.ts";
import { windowTimeErrors } from "#core/windows/window-rules.ts";

const GateWindow = z
  .strictObject({
    name: z.string().min(1).optional().describe("What messages call it."),
    kind: z
      .enum(["Allow", "Deny"])
      .default("Allow")
      .describe("Whether the promotion may go on in it, or must not."),
    rrule: z.string().optional().describe("When it comes again; a recurrence rule of RFC 5545."),
    dtstart: z
      .string()
      .optional()
      .describe("First start, such as `TZID=Europe/Berlin:20260105T090000` or `20260105T080000Z`."),
    dtend: z.string().optional().describe("First end, in the same form."),
  })
  .superRefine((window, problems) => {
    for (const { path, message } of windowTimeErrors(window, [])) {
      problems.addIssue({ code: "custom", path: [...path], message });
    }
  });

export const GateSchedule = z.strictObject({
  notBefore: z.iso
    .datetime({ offset: true })
    .optional()
    .describe("The promotion goes on at this time at the earliest; RFC 3339."),
  windows: z
    .array(GateWindow)
    .default([])
    .describe("When the promotion may go on, by the rules of promotion windows; at any time if empty."),
  soak: Duration.refine((text) => (parseDuration(text) ?? 0) >= 0, "must not be less than nothing")
    .optional()
    .describe("How long ago the freight must have been verified in a stage that this one takes it from."),
});
export type GateSchedule = z.infer<typeof GateSchedule>;

/** Why a promotion is held, and for how long; Infinity where nothing tells when it will go on. */
export interface Hold {
  why: string;
  seconds: number;
}

/** How often to look whether the freight has been verified: nothing wakes a promotion then. */
const secondsBetweenLooks = 60;

/** What keeps the promotion from going on now; undefined when nothing does. */
export async function findHold(
  schedule: GateSchedule,
  ctx: Pick<StepContext, "now" | "resources" | "freightRequests" | "targetFreight" | "stage">,
): Promise<Hold | undefined> {
  const now = ctx.now();
  const until = (why: string, at: Date): Hold => ({ why, seconds: (at.getTime() - now.getTime()) / 1000 });
  const { notBefore, soak } = schedule;
  if (notBefore !== undefined && Date.parse(notBefore) > now.getTime())
    return until(`not before ${notBefore}`, new Date(notBefore));
  if (soak !== undefined) {
    const end = await soakEnd(parseDuration(soak) ?? 0, ctx);
    if (end === undefined)
      return { why: `its freight has to be verified and to soak for ${soak}`, seconds: secondsBetweenLooks };
    if (end > now) return until(`its freight soaks until ${end.toISOString()}`, end);
  }
  const windows: Window[] = schedule.windows.map((window, index) => ({
    ...window,
    name: window.name ?? `${index + 1}`,
  }));
  const { closed, reason = "" } = scheduleAt(windows, now);
  if (!closed) return undefined;
  const opening = nextOpen(windows, now);
  if (opening === undefined)
    throw new StepFailure("failed", `The gate's windows do not open any more: ${reason}`);
  return until(`${reason}, next from ${opening.toISOString()}`, opening);
}

/** When the freight will have been verified for so long; undefined while it is not verified. */
async function soakEnd(
  milliseconds: number,
  { resources, freightRequests, targetFreight, stage }: Parameters<typeof findHold>[1],
): Promise<Date | undefined> {
  const origin = targetFreight?.origin.name;
  const request = freightRequests.find((each) => each.origin.name === origin);
  const upstream = request?.sources.stages ?? [];
  if (upstream.length === 0)
    throw new StepFailure(
      "config",
      `Cannot let freight soak: stage "${stage}" takes it from its Warehouse and from no stage`,
    );
  const freight = (await resources.get("Freight", targetFreight?.name ?? "")) as Freight | undefined;
  // Whoever approved it for the stage did so whatever the stages before it say.
  if (freight?.status?.approvedFor?.[stage] !== undefined) return new Date(0);
  const times = upstream.flatMap((name) => freight?.status?.verifiedIn?.[name]?.verifiedAt ?? []);
  if (times.length === 0) return undefined;
  return new Date(Math.min(...times.map((time) => Date.parse(time))) + milliseconds);
}
