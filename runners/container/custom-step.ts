import { cpus } from "node:os";
import { parseHostList } from "#core/egress/host-list.ts";
import type { Expressions } from "#core/expressions/expressions.ts";
import { StepFailure } from "#core/failure.ts";
import { promotionContext } from "#core/promotion/invocation.ts";
import type { CustomPromotionStepSpec } from "#core/resources/custom-promotion-step.ts";
import { parseDuration } from "#core/resources/duration.ts";
import type { Invocation } from "#core/runner.ts";
import type { ContainerSpec, OutputSpec, ResourceLimits } from "#runners/container/container-spec.ts";
import { schemaProblems } from "#runners/container/json-schema.ts";
import { parseQuantity } from "#runners/container/quantity.ts";

/** Used where a definition sets no limits. */
export const defaultLimits: ResourceLimits = { memoryBytes: 512 * 2 ** 20, nanoCpus: 1e9, pids: 256 };

/** The engine's own lower bounds. */
const least = { memoryBytes: 6 * 2 ** 20, nanoCpus: 1e7 };

/** What a CustomPromotionStep asks for in one invocation: its expressions see `config` and `ctx` alone. */
export async function prepareCustomStep(
  spec: CustomPromotionStepSpec,
  invocation: Invocation,
  expressions: Expressions,
): Promise<ContainerSpec> {
  const { kind, alias, config } = invocation;
  const problems = spec.configSchema === undefined ? [] : schemaProblems(spec.configSchema, config);
  if (problems.length > 0) {
    throw new StepFailure("config", `invalid ${kind} config: ${problems.join("; ")}`);
  }
  const scope = { env: { ...promotionContext(invocation, alias), config }, functions: {} };
  const evaluate = (template: string) => expressions.renderTemplate(template, scope);
  const env: Record<string, string> = {};
  for (const { name, value } of spec.env ?? []) env[name] = await evaluate(value);
  return toContainerSpec(spec, await Promise.all((spec.command ?? []).map(evaluate)), env);
}

/** What a definition and an inline step have in common; nothing in it is evaluated any more. */
export type ContainerOptions = Omit<CustomPromotionStepSpec, "command" | "env">;

export function toContainerSpec(
  options: ContainerOptions,
  command: readonly string[],
  env: Readonly<Record<string, string>>,
): ContainerSpec {
  const { mode = "none", allow = [] } = options.network ?? {};
  refuseHosts(mode, allow);
  return {
    image: options.image,
    command,
    entrypoint: options.entrypoint,
    env,
    user: options.user === undefined ? undefined : String(options.user),
    platform: options.platform,
    network: mode,
    allow,
    readOnlyRoot: options.readOnlyRoot ?? false,
    caches: options.caches ?? [],
    devices: options.devices ?? [],
    gpus: options.gpus ?? 0,
    pullSecrets: (options.imagePullSecrets ?? []).map((each) =>
      typeof each === "string" ? each : each.name,
    ),
    limits: limitsOf(options.resources?.limits),
    stopGraceSeconds: (parseDuration(options.stopGracePeriod ?? "10s") ?? 10_000) / 1000,
    reuse: options.reuse === "promotion",
    output: outputOf(options),
    outputSchema: options.outputSchema,
  };
}

function refuseHosts(mode: string, allow: readonly string[]): void {
  if (allow.length > 0 && mode !== "none") {
    throw new StepFailure(
      "config",
      `Cannot open single hosts on network "${mode}": give network.mode or network.allow`,
    );
  }
  try {
    parseHostList(allow);
  } catch (cause) {
    throw new StepFailure("config", `invalid network.allow: ${(cause as Error).message}`, { cause });
  }
}

function outputOf({ output }: ContainerOptions): OutputSpec {
  const { type = "Pipe", path, format } = output?.source ?? {};
  return { type, path, format, transform: output?.transform };
}

/** A definition made for a larger machine gets what this one has. */
export function limitsOf({ memory, cpu }: Readonly<Record<string, string | number>> = {}): ResourceLimits {
  const wanted = {
    memoryBytes:
      memory === undefined ? defaultLimits.memoryBytes : Math.ceil(parseQuantity(memory, "the memory limit")),
    nanoCpus:
      cpu === undefined ? defaultLimits.nanoCpus : Math.ceil(parseQuantity(cpu, "the CPU limit") * 1e9),
  };
  return {
    memoryBytes: Math.max(wanted.memoryBytes, least.memoryBytes),
    nanoCpus: Math.max(Math.min(wanted.nanoCpus, cpus().length * 1e9), least.nanoCpus),
    pids: defaultLimits.pids,
  };
}
