import type { Expressions } from "#core/expressions/expressions.ts";
import { promotionContext } from "#core/promotion/invocation.ts";
import type { CustomPromotionStepSpec } from "#core/resources/custom-promotion-step.ts";
import { parseDuration } from "#core/resources/duration.ts";
import type { Invocation } from "#core/runner.ts";
import type { ContainerSpec, ResourceLimits } from "#runners/container/container-spec.ts";
import { parseQuantity } from "#runners/container/quantity.ts";

/** Used where a definition sets no limits. */
export const defaultLimits: ResourceLimits = { memoryBytes: 512 * 2 ** 20, nanoCpus: 1e9, pids: 256 };

/** What a CustomPromotionStep asks for in one invocation: its expressions see `config` and `ctx` alone. */
export async function prepareCustomStep(
  spec: CustomPromotionStepSpec,
  invocation: Invocation,
  expressions: Expressions,
): Promise<ContainerSpec> {
  const scope = {
    env: { ...promotionContext(invocation, invocation.alias), config: invocation.config },
    functions: {},
  };
  const evaluate = (template: string) => expressions.renderTemplate(template, scope);
  const env: Record<string, string> = {};
  for (const { name, value } of spec.env ?? []) env[name] = await evaluate(value);
  return {
    image: spec.image,
    command: await Promise.all((spec.command ?? []).map(evaluate)),
    ...(spec.entrypoint === undefined ? {} : { entrypoint: spec.entrypoint }),
    env,
    ...(spec.user === undefined ? {} : { user: String(spec.user) }),
    ...(spec.platform === undefined ? {} : { platform: spec.platform }),
    network: spec.network?.mode ?? "none",
    readOnlyRoot: spec.readOnlyRoot ?? false,
    limits: limitsOf(spec),
    stopGraceSeconds: (parseDuration(spec.stopGracePeriod ?? "10s") ?? 10_000) / 1000,
    output: {
      type: spec.output?.source?.type ?? "Pipe",
      ...(spec.output?.source?.path ? { path: spec.output.source.path } : {}),
      ...(spec.output?.source?.format ? { format: spec.output.source.format } : {}),
      ...(spec.output?.transform ? { transform: spec.output.transform } : {}),
    },
  };
}

function limitsOf({ resources }: CustomPromotionStepSpec): ResourceLimits {
  const { memory, cpu } = resources?.limits ?? {};
  return {
    memoryBytes:
      memory === undefined ? defaultLimits.memoryBytes : Math.ceil(parseQuantity(memory, "the memory limit")),
    nanoCpus:
      cpu === undefined ? defaultLimits.nanoCpus : Math.ceil(parseQuantity(cpu, "the CPU limit") * 1e9),
    pids: defaultLimits.pids,
  };
}
