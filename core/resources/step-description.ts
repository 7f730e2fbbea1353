import { parse as parseYaml } from "yaml";
import { z } from "zod";
import { UserError } from "#core/failure.ts";
import { kargoEnterpriseV1alpha1 } from "#core/resources/api-versions.ts";
import { type CustomPromotionStep, CustomPromotionStepSpec } from "#core/resources/custom-promotion-step.ts";

/** The label in which a step image carries its description, as YAML or JSON. */
export const stepLabel = "dev.towpath.step";

/**
 * What a step image says of itself: its name, and what a CustomPromotionStep says, but for what is the business of
 * whoever registers it. Without a command, the image's own is run.
 */
export const StepDescription = CustomPromotionStepSpec.omit({
  image: true,
  imagePullSecrets: true,
  capabilities: true,
  devices: true,
  gpus: true,
  platform: true,
}).extend({
  name: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/, "must be small letters, digits and dashes")
    .max(63)
    .describe("What `uses:` says."),
  summary: z.string().min(1).describe("One sentence about the step."),
});
export type StepDescription = z.infer<typeof StepDescription>;

/** Reads the label of an image. Throws a UserError that names all that is wrong with it. */
export function readStepDescription(image: string, label: string | undefined): StepDescription {
  const what = `Cannot use image "${image}" as a step`;
  if (label === undefined) {
    throw new UserError(`${what}: it has no label "${stepLabel}"`, {
      hint: 'build it with --label "dev.towpath.step=$(cat step.yaml)"; docs/custom-steps.md tells how',
    });
  }
  let value: unknown;
  try {
    value = parseYaml(label, { maxAliasCount: 100 });
  } catch (cause) {
    const [reason] = (cause instanceof Error ? cause.message : String(cause)).split("\n");
    throw new UserError(`${what}: its label "${stepLabel}" is no YAML: ${reason}`, { cause });
  }
  const parsed = StepDescription.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "(all)"}: ${message}`);
  throw new UserError(`${what}: its label "${stepLabel}" is wrong: ${problems.join("; ")}`);
}

/** The definition to register; `image` is pinned. */
export function toCustomStep(
  { name, ...spec }: StepDescription,
  image: string,
  pullSecrets: readonly string[] = [],
): CustomPromotionStep {
  return {
    apiVersion: kargoEnterpriseV1alpha1,
    kind: "CustomPromotionStep",
    metadata: { name },
    spec: {
      image,
      ...spec,
      ...(pullSecrets.length === 0 ? {} : { imagePullSecrets: pullSecrets.map((each) => ({ name: each })) }),
    },
  };
}
