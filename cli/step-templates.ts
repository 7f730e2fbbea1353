/** A file of a new step's folder: its path in it, its text, and whether it can be run. */
export interface TemplateFile {
  path: string;
  text: string;
  executable?: boolean;
}

export const templateNames = ["shell", "typescript", "python"] as const;
export type TemplateName = (typeof templateNames)[number];

interface Language {
  base: string;
  program: string;
  command: readonly string[];
  text: string;
}

const shell: Language = {
  base: "alpine:3.22",
  program: "step.sh",
  command: ["sh", "/step/step.sh"],
  text: `#!/bin/sh
# Works in the promotion's folder. What the step puts out goes into the file that $TOWPATH_OUTPUT names.
set -eu
count=$(find . -type f -name "$PATTERN" | wc -l)
echo "found $count files named $PATTERN"
printf '{"count": %d}' "$count" > "$TOWPATH_OUTPUT"
`,
};

const typescript: Language = {
  base: "node:24-alpine",
  program: "step.ts",
  command: ["node", "/step/step.ts"],
  text: `// Works in the promotion's folder. What the step puts out goes into the file that TOWPATH_OUTPUT names.
import { globSync, writeFileSync } from "node:fs";

const { PATTERN = "*", TOWPATH_OUTPUT = "" } = process.env;
const files: string[] = globSync(\`**/\${PATTERN}\`);
console.log(\`found \${files.length} files named \${PATTERN}\`);
writeFileSync(TOWPATH_OUTPUT, JSON.stringify({ count: files.length }));
`,
};

const python: Language = {
  base: "python:3.13-alpine",
  program: "step.py",
  command: ["python3", "/step/step.py"],
  text: `# Works in the promotion's folder. What the step puts out goes into the file that TOWPATH_OUTPUT names.
import json
import os
import pathlib

pattern = os.environ["PATTERN"]
files = [path for path in pathlib.Path(".").rglob(pattern) if path.is_file()]
print(f"found {len(files)} files named {pattern}", flush=True)
with open(os.environ["TOWPATH_OUTPUT"], "w") as output:
    json.dump({"count": len(files)}, output)
`,
};

const languages: Record<TemplateName, Language> = { shell, typescript, python };

/** All files of a new step that counts files: small, and with each part that a step has. */
export function templateFiles(name: string, template: TemplateName): TemplateFile[] {
  const language = languages[template];
  return [
    { path: "step.yaml", text: description(name, language) },
    { path: "Dockerfile", text: dockerfile(language) },
    { path: language.program, text: language.text },
    { path: "test/steps.yaml", text: testSteps(name) },
    { path: "test.sh", text: testScript(name), executable: true },
  ];
}

function description(name: string, { command }: Language): string {
  return `# What the image says of itself: see docs/custom-steps.md for all that can stand here.
name: ${name}
summary: Counts the files with a name.
command: ${JSON.stringify(command)}
env:
  - name: PATTERN
    value: \${{ config.pattern }}
configSchema:
  type: object
  required: [pattern]
  additionalProperties: false
  properties:
    pattern: { type: string, minLength: 1, description: "Name to look for; * stands for any characters." }
output:
  source: { type: Pipe, format: JSON }
outputSchema:
  type: object
  required: [count]
  properties:
    count: { type: integer, description: How many files there are. }
examples:
  - title: Count the manifests
    config: { pattern: "*.yaml" }
`;
}

function dockerfile({ base, program }: Language): string {
  return `ARG BASE=${base}
FROM \${BASE}
COPY ${program} /step/${program}
`;
}

function testSteps(name: string): string {
  return `# Run by test.sh: the promotion succeeds when the step found what the steps before it made.
- uses: container
  config:
    image: towpath-step/${name}:test
    command: [sh, -c, "touch one.yaml two.yaml three.txt"]
- uses: ${name}
  as: count
  config:
    pattern: "*.yaml"
- uses: fail
  if: \${{ outputs.count.count != 2 }}
  config:
    message: expected 2 files, got \${{ outputs.count.count }}
`;
}

function testScript(name: string): string {
  return `#!/bin/sh
# Builds the image and runs test/steps.yaml on this machine's container engine; no daemon is needed.
set -eu
cd "$(dirname "$0")"
image=towpath-step/${name}:test
docker build --quiet --tag "$image" --label "dev.towpath.step=$(cat step.yaml)" "$@" .
towpath steps describe "$image" > .step.test.yaml
towpath run test/steps.yaml -f .step.test.yaml
`;
}
