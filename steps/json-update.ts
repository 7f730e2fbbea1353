import { defineStep, succeeded } from "#core/step.ts";
import { editFile } from "./lib/edit-file.ts";
import { plainText } from "./lib/go-text.ts";
import { updateJson } from "./lib/json-edit.ts";
import { commitMessageOutput, updatesMessage, valueUpdatesConfig } from "./lib/value-updates.ts";

export default defineStep({
  name: "json-update",
  summary: "Sets values in a JSON file and leaves everything else in it as it is.",
  notes:
    "A key that does not exist is added, with the objects on its way. In a list, an index behind the end or -1 " +
    "adds an entry. Digits after a colon (`users.:2313`) are a name and no index.",
  config: valueUpdatesConfig("JSON"),
  output: commitMessageOutput,
  examples: [
    {
      title: "Set a version",
      yaml: `
        uses: json-update
        config:
          path: ./src/app/config.json
          updates:
          - key: image.tag
            value: \${{ imageFrom("public.ecr.aws/nginx/nginx").Tag }}
          - key: features.fast
            value: true`,
    },
  ],

  async run({ path, updates }, ctx) {
    await editFile(ctx, path, (text) => updateJson(text, updates));
    const format = (value: unknown) => (typeof value === "string" ? JSON.stringify(value) : plainText(value));
    return succeeded({ commitMessage: updatesMessage(path, updates, format) });
  },
});
