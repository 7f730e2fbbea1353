import { createHash } from "node:crypto";
import { UserError } from "#core/failure.ts";
import { type FindTask, inflateSteps } from "#core/promotion/inflate.ts";
import { keys } from "#core/promotion/keys.ts";
import { promotionName } from "#core/promotion/name.ts";
import type { Promotion } from "#core/resources/promotion.ts";
import type { Stage } from "#core/resources/stage.ts";

export interface BuildOptions {
  findTask: FindTask;
  /** Who asked for it, as Kargo writes actors (`admin`, `email:jo@example.com`); absent when the daemon did. */
  actor?: string;
  /** Added to those that every promotion has. */
  annotations?: Record<string, string>;
}

/**
 * A promotion of `freight` (its name) to `stage`, ready to be created. Its steps and variables are the
 * stage's as they stand now: later changes of the stage or of a task do not reach it.
 *
 * Throws a UserError when the stage has no steps or a task cannot be inflated.
 */
export async function buildPromotion(
  stage: Stage,
  freight: string,
  { findTask, actor, annotations }: BuildOptions,
): Promise<Promotion> {
  const { name, namespace } = stage.metadata;
  const { vars: templateVars = [], steps = [] } = stage.spec.promotionTemplate?.spec ?? {};
  if (steps.length === 0) {
    throw new UserError(
      `Cannot promote to Stage "${name}" in project "${namespace}": it defines no promotion steps`,
      { hint: "Add steps under spec.promotionTemplate.spec.steps of the stage.", status: 422 },
    );
  }
  const vars = [...(stage.spec.vars ?? []), ...templateVars];
  return {
    apiVersion: "kargo.akuity.io/v1alpha1",
    kind: "Promotion",
    metadata: {
      name: promotionName(name, freight),
      namespace,
      labels: {
        [keys.stage]: shortLabelValue(name),
        ...(stage.spec.shard ? { [keys.shard]: stage.spec.shard } : {}),
      },
      annotations: {
        ...annotations,
        [keys.stage]: name,
        ...(actor === undefined ? {} : { [keys.createActor]: actor }),
      },
      ownerReferences: [
        {
          apiVersion: stage.apiVersion,
          kind: "Stage",
          name,
          uid: stage.metadata.uid ?? "",
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec: {
      stage: name,
      freight,
      vars,
      steps: await inflateSteps(steps, vars, findTask),
    },
  };
}

const longestLabelValue = 63;
const labelHashLength = 8;

/** A value too long for a label, cut and told apart by a hash of the whole, as Kargo does it. */
export function shortLabelValue(value: string): string {
  if (value.length <= longestLabelValue) return value;
  const hash = createHash("sha256").update(value).digest("hex").slice(0, labelHashLength);
  const start = value.slice(0, longestLabelValue - labelHashLength - 1).replace(/-+$/, "");
  return `${start}-${hash}`;
}
