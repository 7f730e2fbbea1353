import { z } from "zod";
import { FreightReference } from "#core/resources/freight.ts";

const Outputs = z.record(z.string(), z.any());

/** What a script of the step `script` is called with, beside functions; editors know it by schemas/script.d.ts. */
export const ScriptContext = z.object({
  config: z.record(z.string(), z.any()).describe("What the step gives as `config`."),
  ctx: z
    .object({
      uiBaseUrl: z.string().describe("Address of the daemon's web page."),
      project: z.string(),
      stage: z.string().describe("The stage that is promoted to."),
      promotion: z.string().describe("Name of the promotion."),
      targetFreight: z
        .object({
          name: z.string(),
          alias: z.string(),
          origin: z.object({ name: z.string().describe("Name of the Warehouse.") }),
        })
        .describe("The freight that is promoted."),
      meta: z.object({
        promotion: z.object({
          actor: z.string().describe("Who asked for the promotion."),
          rollback: z.boolean().describe("Whether it goes back to earlier freight."),
        }),
        step: z.object({ alias: z.string().describe("Name of this step.") }),
      }),
    })
    .describe("The promotion, as expressions see it."),
  outputs: Outputs.describe("Outputs of earlier steps, by alias."),
  vars: z.record(z.string(), z.any()).describe("Variables that this step sees."),
  task: z
    .object({ outputs: Outputs.describe("Outputs of the task's earlier steps, by their short names.") })
    .optional()
    .describe("The task that the step stands in."),
  freight: z.array(FreightReference).describe("All freight of the promotion, with its artifacts."),
});
export type ScriptContext = z.infer<typeof ScriptContext>;
