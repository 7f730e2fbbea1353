import { StepFailure } from "#core/failure.ts";
import { defineStep, succeeded } from "#core/step.ts";
import { readUtf8 } from "./lib/edit-file.ts";
import { extract, extractedOutput, withFloats } from "./lib/evaluate.ts";
import { parseConfig } from "./lib/parse-config.ts";
import { parseToml } from "./lib/toml-edit.ts";

export default defineStep({
  name: "toml-parse",
  summary: "Takes values out of a TOML file.",
  notes: "The file's keys are the variables of the expressions. Dates and times are text.",
  config: parseConfig("TOML"),
  output: extractedOutput,
  examples: [
    {
      title: "Read a package's version",
      yaml: `
        uses: toml-parse
        as: package
        config:
          path: ./src/Cargo.toml
          outputs:
          - name: version
            fromExpression: package.version`,
    },
  ],

  async run({ path, outputs }, ctx) {
    const text = await readUtf8(ctx, path);
    if (text === "") throw new StepFailure("errored", `Cannot parse file "${path}": it is empty`);
    return succeeded(await extract(outputs, { env: toValues(dataOf(text, path)) }));
  },
});

function dataOf(text: string, path: string): unknown {
  try {
    return parseToml(text);
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error;
    throw new StepFailure(error.kind, `Cannot parse file "${path}": ${error.message}`, { cause: error });
  }
}

/** TOML's integers stay integers, unlike JSON's; its dates become the text that they are written as. */
function toValues(value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(toValues);
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, toValues(one)]));
  }
  return withFloats(value);
}
