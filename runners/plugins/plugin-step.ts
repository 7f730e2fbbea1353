import { z } from "zod";
import { type FailureKind, failureKindNames, StepFailure, UserError } from "#core/failure.ts";
import type { Outcome, StepDefinition } from "#core/step.ts";
import { fieldsOf } from "#core/step-fields.ts";

const Schema = z.custom<z.ZodType>(
  (value) => typeof value === "object" && value !== null && "_zod" in value && "safeParse" in value,
  { error: "expected a schema of zod 4, as `z` of towpath/step makes them" },
);

/** What a definition must have; what it says of its fields is looked at apart. */
const Definition = z.looseObject({
  name: z.string().regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, { error: 'expected a name such as "send-report"' }),
  summary: z.string().min(1),
  notes: z.string().optional(),
  config: Schema,
  output: Schema,
  examples: z.array(z.object({ title: z.string(), yaml: z.string() })),
  defaultTimeoutSeconds: z.number().positive().optional(),
  defaultErrorThreshold: z.int().min(0).optional(),
  taskOutput: z.boolean().optional(),
  run: z.custom((value) => typeof value === "function", { error: "expected a function" }),
});

/** The step that a module exports, made safe to run. Throws a UserError that says what it lacks. */
export function pluginStep(exported: unknown): StepDefinition {
  const parsed = Definition.safeParse(exported);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `${path.join(".") || "it"}: ${message}`);
    throw new UserError(`it is no step: ${problems.join("; ")}; see defineStep of towpath/step`);
  }
  const step = exported as StepDefinition;
  for (const part of ["config", "output"] as const) {
    try {
      fieldsOf(step[part]);
    } catch (cause) {
      throw new UserError(`its ${part} cannot be told as a JSON Schema: ${(cause as Error).message}`, {
        cause,
      });
    }
  }
  return { ...step, run: (config, ctx) => runSafely(step, () => step.run(config, ctx)) };
}

const Returned = z.discriminatedUnion("status", [
  z.looseObject({ status: z.literal("succeeded"), output: z.record(z.string(), z.unknown()).optional() }),
  z.looseObject({ status: z.literal("skipped"), message: z.string() }),
  z.looseObject({ status: z.literal("waiting"), message: z.string(), retryInSeconds: z.number() }),
]);

async function runSafely({ name }: StepDefinition, run: () => Promise<Outcome>): Promise<Outcome> {
  let outcome: Outcome;
  try {
    outcome = await run();
  } catch (error) {
    throw toOwnFailure(error);
  }
  if (Returned.safeParse(outcome).success) return outcome;
  throw new StepFailure(
    "errored",
    `step ${name} returned no outcome: it must return succeeded(…), skipped(…) or waiting(…)`,
  );
}

/** A plugin may have a copy of its own of the class, which `instanceof` does not know. */
function toOwnFailure(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof StepFailure || error.name !== "StepFailure") return error;
  const { kind, output } = error as Error & { kind?: FailureKind; output?: Record<string, unknown> };
  if (kind === undefined || !failureKindNames.includes(kind)) return error;
  return new StepFailure(kind, error.message, { cause: error, output });
}
