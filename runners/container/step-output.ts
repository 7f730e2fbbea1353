import { parse as parseYaml } from "yaml";
import type { Expressions } from "#core/expressions/expressions.ts";
import { StepFailure } from "#core/failure.ts";
import type { StepOutput } from "#core/step.ts";
import type { OutputFormat, OutputSpec } from "#runners/container/container-spec.ts";
import { parseKeyValue } from "#runners/container/key-value.ts";

/** Bytes of the finished output, as JSON. */
export const outputLimitBytes = 256 * 1024;

/** Turns what a command left behind into the step's output. */
export async function readOutput(
  text: string,
  spec: OutputSpec,
  expressions: Expressions,
): Promise<StepOutput> {
  const parsed = parseOutput(text, formatOf(spec));
  const output = spec.transform ? await transform(parsed, spec.transform, expressions) : wrap(parsed);
  const size = Buffer.byteLength(JSON.stringify(output));
  if (size > outputLimitBytes) {
    throw new StepFailure(
      "refused",
      `The step's output has ${size} bytes; at most ${outputLimitBytes} are allowed`,
    );
  }
  return output;
}

function formatOf({ format, type, path = "" }: OutputSpec): OutputFormat {
  if (format !== undefined) return format;
  if (type === "File" && /\.json$/i.test(path)) return "JSON";
  if (type === "File" && /\.ya?ml$/i.test(path)) return "YAML";
  return "KeyValue";
}

function parseOutput(text: string, format: OutputFormat): unknown {
  if (format === "Text") return text;
  if (format === "KeyValue") return parseKeyValue(text);
  try {
    return format === "JSON" ? JSON.parse(text) : parseYaml(text, { maxAliasCount: 100 });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StepFailure("errored", `Cannot read the step's output as ${format}: ${reason}`, { cause });
  }
}

function wrap(value: unknown): StepOutput {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject ? (value as StepOutput) : { output: value };
}

async function transform(output: unknown, by: Readonly<Record<string, string>>, expressions: Expressions) {
  const transformed: StepOutput = {};
  for (const [key, expression] of Object.entries(by)) {
    try {
      transformed[key] = await expressions.evaluate(expression, { env: { output }, functions: {} });
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new StepFailure("errored", `Cannot transform the step's output "${key}": ${reason}`, { cause });
    }
  }
  return transformed;
}
