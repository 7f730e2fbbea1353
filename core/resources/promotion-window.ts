import { z } from "zod";
import { NameOrLabelSelector } from "#core/resources/label-selector.ts";
import { ResourceName } from "#core/resources/names.ts";

/** A link that the web page shows beside a resource. */
export const DeepLink = z.strictObject({
  title: z.string().min(1).describe("Text of the link."),
  url: z.string().min(1).describe("Address; may hold expressions over the resource."),
  description: z.string().optional().describe("A line about it."),
  if: z.string().optional().describe("Expression; the link is shown when it is true."),
});
export type DeepLink = z.infer<typeof DeepLink>;

/** A time in which promotions are allowed or denied. */
export const PromotionWindow = z.strictObject({
  name: ResourceName.describe("Name of the window."),
  stageSelector: NameOrLabelSelector.optional().describe("Stages that it is for; all by default."),
  projectSelector: NameOrLabelSelector.optional().describe("Projects that it is for; all by default."),
  kind: z.enum(["Allow", "Deny"]).describe("Whether promotions may start in it, or must not."),
  rrule: z.string().optional().describe("When it comes again; a recurrence rule of RFC 5545."),
  dtstart: z.string().optional().describe("First start."),
  dtend: z.string().optional().describe("First end."),
});
export type PromotionWindow = z.infer<typeof PromotionWindow>;
