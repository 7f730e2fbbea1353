import { contextFreight, contextRequests, contextResources, type LocalContext } from "#cli/local-context.ts";
import type { LocalWorld } from "#cli/local-services.ts";
import { collect, toReference } from "#core/promotion/freight-collection.ts";
import { keys } from "#core/promotion/keys.ts";
import { openRun } from "#core/promotion/open-run.ts";
import type { PromotionRun } from "#core/promotion/run.ts";
import type { Freight } from "#core/resources/freight.ts";
import type { Promotion } from "#core/resources/promotion.ts";
import type { Resource } from "#core/resources/resource.ts";
import type { FreightRequest } from "#core/resources/stage.ts";

/** Everything that the context tells of, as the resources that a daemon would have. */
export function worldOf(context: LocalContext): Resource[] {
  const apiVersion = "kargo.akuity.io/v1alpha1";
  const { project: namespace, stage, promotion } = context;
  const freight = contextFreight(context);
  const references = freight.map(({ resource }) => toReference(resource as Freight));
  const given = contextResources(context);
  const isGiven = (kind: string, name: string) =>
    given.some((resource) => resource.kind === kind && resource.metadata.name === name);
  const promotionResource: Promotion = {
    apiVersion,
    kind: "Promotion",
    metadata: {
      name: promotion,
      namespace,
      annotations: {
        ...(context.actor === "" ? {} : { [keys.createActor]: context.actor }),
        ...(context.rollback ? { [keys.rollback]: "true" } : {}),
      },
    },
    spec: {
      stage,
      freight: references[0]?.name,
      vars: Array.isArray(context.vars)
        ? context.vars.map(({ name, value }) => ({ name, value: String(value) }))
        : [],
      steps: [],
    },
    status: {
      phase: "Running",
      freight: references[0],
      freightCollection: collect(references.toReversed()),
      state: context.outputs,
    },
  };
  const stageResource = {
    apiVersion,
    kind: "Stage",
    metadata: { name: stage, namespace },
    spec: { requestedFreight: contextRequests(context, freight) },
  };
  return [
    ...given,
    ...freight.filter(({ resource }) => resource.metadata.name !== "").map(({ resource }) => resource),
    ...(isGiven("Stage", stage) ? [] : [stageResource]),
    promotionResource,
  ];
}

/** The context's promotion, ready to be run in an absolute path. */
export async function openContextRun(
  world: LocalWorld,
  context: LocalContext,
  workspace: string,
): Promise<PromotionRun> {
  const { project, promotion } = context;
  const stored = await world.store.get({ kind: "Promotion", project, name: promotion });
  const freight = contextFreight(context);
  return await openRun(world.store, world.masker, {
    promotion: stored as Promotion,
    freight: freight[0]?.resource as Freight | undefined,
    freightRequests: contextRequests(context, freight) as unknown as FreightRequest[],
    workspace,
    uiBaseUrl: context.uiBaseUrl,
  });
}

/** Values by name are what they are; a list is evaluated as a promotion's variables. */
export function contextVars({ vars }: LocalContext): Record<string, unknown> | undefined {
  return Array.isArray(vars) ? undefined : vars;
}
