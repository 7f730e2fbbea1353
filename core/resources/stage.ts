import { z } from "zod";
import { kargoV1alpha1 } from "#core/resources/api-versions.ts";
import { Condition } from "#core/resources/condition.ts";
import { PlainDuration } from "#core/resources/duration.ts";
import { ExpressionVariable } from "#core/resources/expression-variable.ts";
import { FreightCollection, FreightOrigin, FreightReference } from "#core/resources/freight.ts";
import { LabelSelector } from "#core/resources/label-selector.ts";
import { ObjectMeta } from "#core/resources/metadata.ts";
import { PromotionStatus, PromotionStep } from "#core/resources/promotion.ts";

export const FreightSources = z.strictObject({
  direct: z.boolean().optional().describe("Take freight straight from its Warehouse."),
  stages: z.array(z.string()).optional().describe("Take freight that was verified in these stages."),
  requiredSoakTime: PlainDuration.optional().describe(
    "How long freight must have been in an upstream stage.",
  ),
  availabilityStrategy: z
    .enum(["All", "OneOf", ""])
    .optional()
    .describe(
      "Whether all upstream stages must have verified the freight, or one of them; OneOf by default.",
    ),
  autoPromotionOptions: z
    .strictObject({
      selectionPolicy: z
        .enum(["NewestFreight", "MatchUpstream"])
        .optional()
        .describe("Promote the newest freight available, or what the one upstream stage holds."),
    })
    .optional()
    .describe("What auto-promotion chooses."),
});
export type FreightSources = z.infer<typeof FreightSources>;

/** Freight that a stage wants, from one Warehouse. */
export const FreightRequest = z.strictObject({
  origin: FreightOrigin.describe("Warehouse that the freight must come from."),
  sources: FreightSources.describe("Where the freight may be taken from."),
});
export type FreightRequest = z.infer<typeof FreightRequest>;

export const PromotionTemplateSpec = z.strictObject({
  vars: z
    .array(ExpressionVariable)
    .optional()
    .describe("Variables of the promotion; they win over the stage's."),
  steps: z.array(PromotionStep).min(1).optional().describe("Steps, in the order in which they run."),
});
export const PromotionTemplate = z.strictObject({
  spec: PromotionTemplateSpec.describe("Variables and steps of the promotions."),
});
export type PromotionTemplate = z.infer<typeof PromotionTemplate>;

const stringMap = z.record(z.string(), z.string());

export const Verification = z.strictObject({
  analysisTemplates: z
    .array(
      z.strictObject({
        name: z.string().min(1).describe("Name of the template."),
        kind: z
          .enum(["AnalysisTemplate", "ClusterAnalysisTemplate"])
          .optional()
          .describe("Kind of the template; AnalysisTemplate by default."),
      }),
    )
    .optional()
    .describe("Templates whose metrics decide."),
  analysisRunMetadata: z
    .strictObject({
      labels: stringMap.optional().describe("Labels for the AnalysisRun."),
      annotations: stringMap.optional().describe("Annotations for the AnalysisRun."),
    })
    .optional()
    .describe("Labels and annotations for the AnalysisRun."),
  args: z
    .array(z.strictObject({ name: z.string(), value: z.string() }))
    .optional()
    .describe("Arguments of the templates; values may hold expressions."),
});
export type Verification = z.infer<typeof Verification>;

export const StageSpec = z.strictObject({
  shard: z.string().optional().describe("Shard that the stage belongs to; kept, one daemon serves all."),
  vars: z.array(ExpressionVariable).optional().describe("Variables of every promotion and verification."),
  requestedFreight: z
    .array(FreightRequest)
    .min(1)
    .describe("Freight that the stage wants; one entry for each Warehouse."),
  promotionTemplate: PromotionTemplate.optional().describe(
    "How freight comes into the stage. A stage without steps only passes freight on.",
  ),
  verification: Verification.optional().describe("How the stage's freight is verified after a promotion."),
  targets: z
    .strictObject({
      selectors: z.array(LabelSelector).describe("Labels of the targets; any of the selectors."),
    })
    .optional()
    .describe("Targets; kept, not used."),
});
export type StageSpec = z.infer<typeof StageSpec>;

export const HealthState = z.enum(["Healthy", "NotApplicable", "Progressing", "Unknown", "Unhealthy"]);
export type HealthState = z.infer<typeof HealthState>;

export const Health = z.object({
  status: HealthState.optional(),
  issues: z.array(z.string()).optional(),
  config: z.unknown().optional(),
  output: z.unknown().optional(),
});
export type Health = z.infer<typeof Health>;

export const PromotionReference = z.object({
  name: z.string(),
  freight: FreightReference.optional(),
  status: PromotionStatus.optional(),
  finishedAt: z.string().optional(),
});
export type PromotionReference = z.infer<typeof PromotionReference>;

/** Auto-promotion rests for an origin, since somebody promoted other freight than it would have. */
export const AutoPromotionHold = z.object({
  freightName: z.string(),
  origin: FreightOrigin,
  promotionName: z.string().optional(),
  actor: z.string().optional(),
  createdAt: z.string().optional(),
});
export type AutoPromotionHold = z.infer<typeof AutoPromotionHold>;

/** How the windows that gate the stage stand. Times are RFC 3339. */
export const PromotionWindowStatus = z.object({
  closed: z.boolean(),
  reason: z.string().optional(),
  nextOpen: z.string().optional(),
  nextClose: z.string().optional(),
  nextCloseReason: z.string().optional(),
});
export type PromotionWindowStatus = z.infer<typeof PromotionWindowStatus>;

/** The freeze that the stage is under: its own, its project's or one of everything. Ours, not Kargo's. */
export const StageFreeze = z.object({
  project: z.string().optional(),
  stage: z.string().optional(),
  reason: z.string(),
  actor: z.string(),
  since: z.string(),
});

export const StageStatus = z.object({
  conditions: z.array(Condition).optional(),
  lastHandledRefresh: z.string().optional(),
  /** The newest first; the first is what the stage holds now. */
  freightHistory: z.array(FreightCollection).optional(),
  freightSummary: z.string().optional(),
  health: Health.optional(),
  observedGeneration: z.int().optional(),
  currentPromotion: PromotionReference.optional(),
  lastPromotion: PromotionReference.optional(),
  autoPromotionEnabled: z.boolean().optional(),
  promotionWindowStatus: PromotionWindowStatus.optional(),
  freeze: StageFreeze.optional(),
  metadata: z.record(z.string(), z.unknown()).optional(),
  /** By origin, as `Warehouse/<name>`. */
  autoPromotionHolds: z.record(z.string(), AutoPromotionHold).optional(),
  effectiveAutoPromotionHolds: z.record(z.string(), AutoPromotionHold).optional(),
});
export type StageStatus = z.infer<typeof StageStatus>;

/** A place that freight goes to: what it takes, how it takes it, how it is verified there. */
export const Stage = z.strictObject({
  apiVersion: z.literal(kargoV1alpha1),
  kind: z.literal("Stage"),
  metadata: ObjectMeta,
  spec: StageSpec.describe("What freight the stage takes, and how."),
  status: StageStatus.optional(),
});
export type Stage = z.infer<typeof Stage>;
