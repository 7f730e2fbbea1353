import { StepFailure } from "#core/failure.ts";
import { defineStep, succeeded } from "#core/step.ts";
import { readUtf8 } from "./lib/edit-file.ts";
import { extract, extractedOutput, withFloats } from "./lib/evaluate.ts";
import { parseConfig } from "./lib/parse-config.ts";
import { parseYaml } from "./lib/yaml-value.ts";

export default defineStep({
  name: "yaml-parse",
  summary: "Takes values out of a YAML file.",
  notes:
    "The file's keys are the variables of the expressions; `$env` is the whole document, which helps when that " +
    "is a list. Of several documents the first one is read. All numbers are floats.",
  config: parseConfig("YAML"),
  output: extractedOutput,
  examples: [
    {
      title: "Read a chart's version",
      yaml: `
        uses: yaml-parse
        as: chart
        config:
          path: ./src/charts/app/Chart.yaml
          outputs:
          - name: version
            fromExpression: version
          - name: firstDependency
            fromExpression: dependencies[0].name`,
    },
  ],

  async run({ path, outputs }, ctx) {
    const text = await readUtf8(ctx, path);
    if (text === "") throw new StepFailure("errored", `Cannot parse file "${path}": it is empty`);
    const data = parseYaml(text, `file "${path}"`);
    return succeeded(await extract(outputs, { env: withFloats(data) }));
  },
});
