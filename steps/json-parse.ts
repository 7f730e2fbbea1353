import { StepFailure } from "#core/failure.ts";
import { defineStep, succeeded } from "#core/step.ts";
import { readUtf8 } from "./lib/edit-file.ts";
import { extract, extractedOutput, withFloats } from "./lib/evaluate.ts";
import { parseConfig } from "./lib/parse-config.ts";

export default defineStep({
  name: "json-parse",
  summary: "Takes values out of a JSON file.",
  notes:
    "The file's keys are the variables of the expressions; `$env` is the whole document, which helps when that " +
    "is a list. All numbers are floats.",
  config: parseConfig("JSON"),
  output: extractedOutput,
  examples: [
    {
      title: "Read a package's version",
      yaml: `
        uses: json-parse
        as: package
        config:
          path: ./src/package.json
          outputs:
          - name: version
            fromExpression: version
          - name: license
            fromExpression: license ?? "none"`,
    },
  ],

  async run({ path, outputs }, ctx) {
    const data = parseJson(await readUtf8(ctx, path), path);
    return succeeded(await extract(outputs, { env: withFloats(data) }));
  },
});

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new StepFailure("errored", `Cannot parse file "${path}": ${why}`, { cause: error });
  }
}
