import { didYouMean } from "#core/nearest-name.ts";
import type { Finding } from "#core/resources/checks/finding.ts";
import { kargoStepNames } from "#core/resources/checks/kargo-step-names.ts";
import { configIssues, jsonSchemaIssues } from "#core/resources/checks/step-config.ts";
import type { StepList } from "#core/resources/checks/step-lists.ts";
import type { World } from "#core/resources/checks/world.ts";
import type { CustomPromotionStep } from "#core/resources/custom-promotion-step.ts";
import type { SchemaIssue } from "#core/resources/schema-issues.ts";

/** Whether each step's kind is known, and its configuration fits the kind. */
export function checkStepKinds({ resource, path, steps }: StepList, world: World): Finding[] {
  return steps.flatMap(({ uses, config = {} }, index): Finding[] => {
    if (uses === undefined) return [];
    const at = [...path, index];
    const issues = issuesOf(uses, config, world);
    if (issues === undefined) {
      return [{ resource, severity: "error", path: [...at, "uses"], message: unknownStep(uses, world) }];
    }
    return issues.map((issue) => ({
      resource,
      severity: "error",
      ...issue,
      path: [...at, "config", ...issue.path],
    }));
  });
}

function issuesOf(uses: string, config: Record<string, unknown>, world: World): SchemaIssue[] | undefined {
  const known = world.steps.get(uses);
  if (known) return known.config ? configIssues(known.config, config) : [];
  const ref = { kind: "CustomPromotionStep", name: uses };
  const custom = world.find(ref) as CustomPromotionStep | undefined;
  if (custom) return customIssues(custom, config);
  return world.has(ref) ? [] : undefined;
}

function customIssues({ spec }: CustomPromotionStep, config: Record<string, unknown>): SchemaIssue[] {
  if (spec.configSchema === undefined) return [];
  try {
    return jsonSchemaIssues(spec.configSchema, config);
  } catch {
    // The schema itself is at fault; that is said where the schema stands.
    return [];
  }
}

function unknownStep(uses: string, world: World): string {
  if (kargoStepNames.has(uses)) {
    return `Kargo's step kind "${uses}" is not part of Towpath; a CustomPromotionStep of this name can take its place`;
  }
  const names = [...world.steps.keys(), ...world.names("CustomPromotionStep", undefined)];
  const advice = didYouMean(uses, names) || "; kinds of your own are defined by a CustomPromotionStep";
  return `unknown step kind "${uses}"${advice}`;
}
