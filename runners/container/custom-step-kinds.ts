import type { CustomPromotionStep } from "#core/resources/custom-promotion-step.ts";
import { parseDuration } from "#core/resources/duration.ts";
import type { StepKind, StepKinds } from "#core/runner.ts";
import type { Store } from "#core/store/store.ts";
import { createContainerRunner } from "#runners/container/container-runner.ts";
import type { ContainerServices } from "#runners/container/container-services.ts";
import { prepareCustomStep } from "#runners/container/custom-step.ts";

/** The step kinds that CustomPromotionSteps in the store define, as they stand there at the time of the step. */
export function customStepKinds(store: Pick<Store, "get" | "list">, services: ContainerServices): StepKinds {
  return {
    async find(name) {
      const found = await store.get({ kind: "CustomPromotionStep", name });
      return found && toStepKind(found as CustomPromotionStep, services);
    },
    async names() {
      return (await store.list({ kind: "CustomPromotionStep" })).map(({ metadata }) => metadata.name);
    },
  };
}

function toStepKind({ metadata, spec }: CustomPromotionStep, services: ContainerServices): StepKind {
  const timeout = spec.defaultTimeout === undefined ? undefined : parseDuration(spec.defaultTimeout);
  return {
    name: metadata.name,
    runner: createContainerRunner(services, (invocation) =>
      prepareCustomStep(spec, invocation, services.expressions),
    ),
    defaultTimeoutSeconds: timeout === undefined ? undefined : timeout / 1000,
    defaultErrorThreshold: spec.defaultErrorThreshold,
  };
}
