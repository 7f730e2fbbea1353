import { z } from "zod";
import { kargoV1alpha1 } from "#core/resources/api-versions.ts";
import { ExpressionVariable } from "#core/resources/expression-variable.ts";
import { FreightCollection, FreightOrigin, FreightReference } from "#core/resources/freight.ts";
import { GeneratedNameMeta } from "#core/resources/metadata.ts";
import { ResourceName } from "#core/resources/names.ts";
import { PromotionStep } from "#core/resources/promotion-step.ts";

export {
  ForEach,
  PromotionStep,
  PromotionStepRetry,
  PromotionTaskReference,
} from "#core/resources/promotion-step.ts";

export const PromotionPhase = z.enum(["Pending", "Running", "Succeeded", "Failed", "Errored", "Aborted"]);
export type PromotionPhase = z.infer<typeof PromotionPhase>;

export const PromotionStepStatus = z.enum([
  "Running",
  "Succeeded",
  "Failed",
  "Errored",
  "Aborted",
  "Skipped",
]);
export type PromotionStepStatus = z.infer<typeof PromotionStepStatus>;

/** How one step of a promotion stands. Times are RFC 3339. */
export const StepExecutionMetadata = z.object({
  alias: z.string().optional(),
  startedAt: z.string().optional(),
  finishedAt: z.string().optional(),
  /** Failed attempts in a row. */
  errorCount: z.int().optional(),
  status: PromotionStepStatus.optional(),
  message: z.string().optional(),
  continueOnError: z.boolean().optional(),
});
export type StepExecutionMetadata = z.infer<typeof StepExecutionMetadata>;

/** What a step asked for to judge the stage's health by. */
export const HealthCheckStep = z.object({
  uses: z.string().min(1),
  config: z.record(z.string(), z.unknown()).optional(),
});
export type HealthCheckStep = z.infer<typeof HealthCheckStep>;

export const PromotionStatus = z.object({
  lastHandledRefresh: z.string().optional(),
  phase: PromotionPhase.optional(),
  message: z.string().optional(),
  freight: FreightReference.optional(),
  freightCollection: FreightCollection.optional(),
  healthChecks: z.array(HealthCheckStep).optional(),
  startedAt: z.string().optional(),
  finishedAt: z.string().optional(),
  /** Index of the step that is next, or running. */
  currentStep: z.int().optional(),
  stepExecutionMetadata: z.array(StepExecutionMetadata).optional(),
  /** Outputs by alias. */
  state: z.record(z.string(), z.unknown()).optional(),
});
export type PromotionStatus = z.infer<typeof PromotionStatus>;

export const PromotionSpec = z.strictObject({
  stage: ResourceName.describe("Stage that the freight goes to."),
  freight: ResourceName.optional().describe("Freight to promote. Give this or `origin`."),
  origin: FreightOrigin.optional().describe("Promote what auto-promotion would choose from this origin."),
  target: ResourceName.optional().describe("Target of the stage; kept, not used."),
  vars: z
    .array(ExpressionVariable)
    .optional()
    .describe("Variables of the promotion; filled in from the stage."),
  steps: z.array(PromotionStep).optional().describe("Steps; filled in from the stage's promotion template."),
});
export type PromotionSpec = z.infer<typeof PromotionSpec>;

/** The way of one piece of freight into one stage. */
export const Promotion = z.strictObject({
  apiVersion: z.literal(kargoV1alpha1),
  kind: z.literal("Promotion"),
  metadata: GeneratedNameMeta,
  spec: PromotionSpec.describe("Which freight goes into which stage."),
  status: PromotionStatus.optional(),
});
export type Promotion = z.infer<typeof Promotion>;
