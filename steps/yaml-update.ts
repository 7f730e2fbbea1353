import { defineStep, succeeded } from "#core/step.ts";
import { editFile } from "./lib/edit-file.ts";
import { commitMessageOutput, updatesMessage, valueUpdatesConfig } from "./lib/value-updates.ts";
import { updateYaml, valueText } from "./lib/yaml-edit.ts";

export default defineStep({
  name: "yaml-update",
  summary: "Sets values of existing keys in a YAML file and leaves everything else in it as it is.",
  notes:
    "Only keys that exist can be set, and only to single values. Comments, order, indentation and line ends " +
    "stay. In a file of several documents the first one is changed. Text that YAML would read as a number, " +
    "a boolean or null is written in quotes.",
  config: valueUpdatesConfig("YAML"),
  output: commitMessageOutput,
  examples: [
    {
      title: "Set an image's tag",
      yaml: `
        uses: yaml-update
        config:
          path: ./src/charts/app/values.yaml
          updates:
          - key: image.tag
            value: \${{ imageFrom("public.ecr.aws/nginx/nginx").Tag }}`,
    },
    {
      title: "Keys with dots in them, and entries of lists",
      yaml: `
        uses: yaml-update
        config:
          path: deployment.yaml
          updates:
          - key: metadata.labels.example\\.com/version
            value: 1.2.3
          - key: spec.template.spec.containers.0.image
            value: nginx:1.27.0`,
    },
  ],

  async run({ path, updates }, ctx) {
    await editFile(ctx, path, (text) => updateYaml(text, updates));
    return succeeded({ commitMessage: updatesMessage(path, updates, valueText) });
  },
});
