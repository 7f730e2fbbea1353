import { Ajv2020 } from "ajv/dist/2020.js";
import { StepFailure } from "#core/failure.ts";

/** What of a JSON Schema (2020-12) a value breaks, a sentence each: `world: must be string`. */
export function schemaProblems(schema: object, value: unknown): string[] {
  const validate = compile(schema);
  if (validate(value)) return [];
  return (validate.errors ?? []).map(({ instancePath, message, keyword, params }) => {
    const path = instancePath.slice(1).replaceAll("/", ".") || "(root)";
    if (keyword === "additionalProperties") {
      return `${path}: Additional property ${params.additionalProperty} is not allowed`;
    }
    const values = keyword === "enum" ? `: ${params.allowedValues.join(", ")}` : "";
    return `${path}: ${message}${values}`;
  });
}

function compile(schema: object) {
  try {
    return new Ajv2020({ allErrors: true, strict: false, validateFormats: false }).compile(schema);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StepFailure("config", `Cannot read the JSON Schema of the step: ${reason}`, { cause });
  }
}
