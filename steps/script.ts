import { z } from "zod";
import { StepFailure } from "#core/failure.ts";
import { ScriptStep } from "#core/script-step.ts";
import { defineStep } from "#core/step.ts";

export default defineStep({
  name: "script",
  summary: "Runs TypeScript or JavaScript that may do what the step says and nothing else.",
  notes: `
The script runs in Deno, in a container of its own: it reads no file, reaches no host, sees no variable and starts
no program that \`permissions\` does not name. It finds \`config\`, \`ctx\`, \`outputs\`, \`vars\` and \`freight\`, and what it
returns is the step's output. See [script steps](../script-steps.md).

Values of expressions belong in \`config\`, not in \`run\`, where they would become part of the program.`,
  config: ScriptStep,
  output: z.looseObject({}),
  examples: [
    {
      title: "Work out a value",
      yaml: `
        uses: script
        as: version
        config:
          config:
            tag: \${{ imageFrom("registry.example.com/shop").Tag }}
          run: |
            const [major, minor] = config.tag.replace(/^v/, "").split(".").map(Number);
            return { line: \`\${major}.\${minor}\`, isBreaking: minor === 0 };`,
    },
    {
      title: "Ask a service, and keep its answer in the workspace",
      yaml: `
        uses: script
        as: changes
        config:
          permissions:
            net: [api.example.com]
            write: [out]
          run: |
            const answer = await fetch(\`https://api.example.com/changes?stage=\${ctx.stage}\`);
            if (!answer.ok) fail(\`no changes: \${answer.status}\`);
            await Deno.mkdir("out", { recursive: true });
            await Deno.writeTextFile("out/changes.json", await answer.text());`,
    },
    {
      title: "Run a module of the repository that was cloned",
      yaml: `
        uses: script
        config:
          file: src/scripts/release-notes.ts
          import: ["npm:semver@7.7.2"]
          permissions:
            read: [src]`,
    },
  ],

  async run() {
    throw new StepFailure("refused", "Cannot run a script in the daemon itself: no script runner is at hand");
  },
});
