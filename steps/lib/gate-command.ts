import { z } from "zod";
import type { GateVerdict } from "#core/gate.ts";
import { Duration, parseDuration } from "#core/resources/duration.ts";
import type { StepContext } from "#core/step.ts";

/** What scripts end with that could not do their work yet: sysexits.h's EX_TEMPFAIL. */
const tryAgain = 75;

export const GateCommand = z.strictObject({
  image: z.string().min(1).describe("Image to run."),
  command: z
    .array(z.string())
    .min(1)
    .optional()
    .describe("Takes the place of the image's entrypoint; no shell reads it."),
  args: z.array(z.string()).default([]).describe("Arguments of it."),
  env: z
    .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string())
    .default({})
    .describe("Environment variables, beside the `GATE_…` that tell what it is asked about."),
  every: Duration.refine((text) => (parseDuration(text) ?? 0) >= 1000, "must be at least 1s")
    .default("1m")
    .describe("Pause until it is asked again, after it said that it does not know yet."),
  pullSecrets: z.array(z.string()).default([]).describe("Names of Secrets to pull the image with."),
});
export type GateCommand = z.infer<typeof GateCommand>;

/** Runs the command: 0 releases, 75 keeps waiting, and anything else denies. */
export async function askCommand(
  { command, image, args, env, pullSecrets }: GateCommand,
  message: string,
  ctx: StepContext,
): Promise<GateVerdict | "waiting"> {
  const { exitCode, message: said } = await ctx.runJob({
    key: `${ctx.alias}-command`,
    image,
    ...(command && { command }),
    args,
    pullSecrets,
    env: {
      ...env,
      GATE_PROJECT: ctx.project,
      GATE_STAGE: ctx.stage,
      GATE_PROMOTION: ctx.promotion,
      GATE_STEP: ctx.alias,
      GATE_FREIGHT: ctx.targetFreight?.name ?? "",
      GATE_ACTOR: ctx.actor,
      GATE_MESSAGE: message,
    },
  });
  if (exitCode === tryAgain) return "waiting";
  if (exitCode === 0) return { decision: "released", by: "command" };
  return { decision: "denied", by: "command", message: said };
}
