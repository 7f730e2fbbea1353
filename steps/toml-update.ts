import { defineStep, succeeded } from "#core/step.ts";
import { editFile } from "./lib/edit-file.ts";
import { tomlValueText, updateToml } from "./lib/toml-edit.ts";
import { commitMessageOutput, updatesMessage, valueUpdatesConfig } from "./lib/value-updates.ts";

export default defineStep({
  name: "toml-update",
  summary: "Sets values of existing keys in a TOML file and leaves everything else in it as it is.",
  notes:
    "Only keys that exist can be set, and only to single values. Tables of a list (`[[services]]`) are selected " +
    "by their index: `services.1.port`.",
  config: valueUpdatesConfig("TOML"),
  output: commitMessageOutput,
  examples: [
    {
      title: "Set a package's version",
      yaml: `
        uses: toml-update
        config:
          path: ./src/Cargo.toml
          updates:
          - key: package.version
            value: 1.2.3`,
    },
  ],

  async run({ path, updates }, ctx) {
    await editFile(ctx, path, (text) => updateToml(text, updates));
    return succeeded({ commitMessage: updatesMessage(path, updates, tomlValueText) });
  },
});
