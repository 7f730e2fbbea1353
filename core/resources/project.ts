import { z } from "zod";
import { kargoV1alpha1 } from "#core/resources/api-versions.ts";
import { Condition } from "#core/resources/condition.ts";
import { ProjectMeta } from "#core/resources/metadata.ts";

const countWithHealth = z.object({
  count: z.int().optional(),
  health: z.object({ healthy: z.int().optional() }).optional(),
});

export const ProjectStatus = z.object({
  conditions: z.array(Condition).optional(),
  stats: z.object({ warehouses: countWithHealth.optional(), stages: countWithHealth.optional() }).optional(),
});
export type ProjectStatus = z.infer<typeof ProjectStatus>;

/** A place for pipelines. Its resources carry its name as their namespace. */
export const Project = z.strictObject({
  apiVersion: z.literal(kargoV1alpha1),
  kind: z.literal("Project"),
  metadata: ProjectMeta,
  spec: z
    .unknown()
    .optional()
    .describe("Ignored. Before Kargo 1.5 promotion policies stood here; they belong into a ProjectConfig."),
  status: ProjectStatus.optional(),
});
export type Project = z.infer<typeof Project>;
