import type { LoadedResource } from "#core/resources/load.ts";
import type { Path } from "#core/resources/path.ts";
import type { Promotion } from "#core/resources/promotion.ts";
import type { PromotionStep } from "#core/resources/promotion-step.ts";
import type { PromotionTask } from "#core/resources/promotion-task.ts";
import type { Stage } from "#core/resources/stage.ts";
import type { StepsOf } from "#core/resources/step-rules.ts";

type Variables = readonly { name: string; value: string }[];

/** The steps of one resource, with the variables that all of them see. */
export interface StepList {
  resource: LoadedResource;
  of: StepsOf;
  path: Path;
  steps: readonly PromotionStep[];
  /** Lists of variables and where they stand. */
  variables: readonly { path: Path; variables: Variables }[];
}

/** The steps that a resource has, if it is of a kind that has some. */
export function stepListOf(loaded: LoadedResource): StepList | undefined {
  switch (loaded.resource.kind) {
    case "Stage": {
      const { vars = [], promotionTemplate } = (loaded.resource as unknown as Stage).spec;
      const template = ["spec", "promotionTemplate", "spec"];
      return {
        resource: loaded,
        of: "template",
        path: [...template, "steps"],
        steps: promotionTemplate?.spec.steps ?? [],
        variables: [
          { path: ["spec", "vars"], variables: vars },
          { path: [...template, "vars"], variables: promotionTemplate?.spec.vars ?? [] },
        ],
      };
    }
    case "PromotionTask":
    case "ClusterPromotionTask":
      return specList(loaded, "task", (loaded.resource as unknown as PromotionTask).spec);
    case "Promotion":
      return specList(loaded, "promotion", (loaded.resource as unknown as Promotion).spec);
    default:
      return undefined;
  }
}

function specList(
  resource: LoadedResource,
  of: StepsOf,
  { vars = [], steps = [] }: { vars?: Variables; steps?: readonly PromotionStep[] },
): StepList {
  return {
    resource,
    of,
    path: ["spec", "steps"],
    steps,
    variables: [{ path: ["spec", "vars"], variables: vars }],
  };
}

/** The name that a step goes by, as the engine gives it. */
export function aliasOf({ as = "", task }: PromotionStep, index: number): string {
  return as.trim() || `${task === undefined ? "step" : "task"}-${index + 1}`;
}
