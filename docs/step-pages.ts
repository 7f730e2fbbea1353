import type { StepDefinition } from "#core/step.ts";
import { fieldsOf, type StepField } from "#core/step-fields.ts";

/** The index's chapters: what someone wants to do, and the steps that do it. */
const tasks: Readonly<Record<string, readonly string[]>> = {
  "Work with Git": ["git-clone", "git-clear", "git-commit", "git-push", "github-push", "git-tag"],
  "Work with pull requests": ["git-open-pr", "git-wait-for-pr", "git-merge-pr"],
  "Change files": ["yaml-update", "json-update", "toml-update", "yaml-merge", "file-write", "copy", "delete"],
  "Read values from files": ["yaml-parse", "json-parse", "toml-parse"],
  "Work with archives": ["tar", "untar"],
  "Render manifests": ["helm-template", "helm-update-chart", "kustomize-build", "kustomize-set-image"],
  "Reach the network": ["http", "http-download", "oci-download", "oci-push", "send-message"],
  "Deploy with Argo CD": ["argocd-update", "argocd-wait"],
  "Run programs": ["container", "script"],
  "Direct a promotion": [
    "gate",
    "answer-gate",
    "wait-for-approval",
    "get-user-input",
    "fail",
    "compose-output",
  ],
  "Keep things with stages and freight": ["set-metadata", "set-freight-alias"],
};

/** The reference of steps: a page for each and an index, by file name. */
export function stepPages(steps: readonly StepDefinition[]): Map<string, string> {
  const pages = new Map(steps.map((step) => [`${step.name}.md`, stepPage(step)]));
  return pages.set("README.md", indexPage(steps));
}

const origin = "<!-- Made from the steps' own files by `npm run docs`: change those. -->";

function indexPage(steps: readonly StepDefinition[]): string {
  const byName = new Map(steps.map((step) => [step.name, step]));
  const chapters = Object.entries(tasks).flatMap(([task, names]) => {
    const known = names.flatMap((name) => byName.get(name) ?? []);
    if (known.length === 0) return [];
    return [
      `## ${task}`,
      table(
        ["Step", "What it does"],
        known.map(({ name, summary }) => [`[${name}](${name}.md)`, summary]),
      ),
    ];
  });
  const told = new Set(Object.values(tasks).flat());
  const missing = steps.filter(({ name }) => !told.has(name)).map(({ name }) => name);
  if (missing.length > 0)
    throw new Error(`The index does not say what these steps are for: ${missing.join(", ")}`);
  const intro = "What a promotion can do. `towpath explain STEP` shows the same on a terminal.";
  return `${[origin, "# Steps", intro, ...chapters].join("\n\n")}\n`;
}

function stepPage(step: StepDefinition): string {
  const config = fieldsOf(step.config);
  const output = fieldsOf(step.output, "output");
  const parts = [
    origin,
    `# \`${step.name}\``,
    step.summary,
    ...(step.notes ? [step.notes.trim()] : []),
    "## Configuration",
    config.length === 0 ? "None." : table(["Field", "Type", "", "Description"], config.map(configRow)),
    ...defaultsOf(step),
    "## Output",
    output.length === 0 ? "None." : table(["Field", "Type", "Description"], output.map(outputRow)),
    ...examplesOf(step),
  ];
  return `${parts.join("\n\n")}\n`;
}

function defaultsOf({ defaultTimeoutSeconds, defaultErrorThreshold }: StepDefinition): string[] {
  const lines = [
    ...(defaultTimeoutSeconds === undefined
      ? []
      : [`\`retry.timeout\` is ${defaultTimeoutSeconds} s unless it is set.`]),
    ...(defaultErrorThreshold === undefined
      ? []
      : [`\`retry.errorThreshold\` is ${defaultErrorThreshold} unless it is set.`]),
  ];
  return lines.length === 0 ? [] : [lines.join(" ")];
}

function examplesOf({ examples }: StepDefinition): string[] {
  return [
    "## Examples",
    ...examples.flatMap(({ title, yaml }) => [
      `### ${title}`,
      `\`\`\`yaml\nsteps:\n${asItem(dedent(yaml))}\n\`\`\``,
    ]),
  ];
}

function configRow(field: StepField): string[] {
  const need = field.required
    ? "required"
    : field.default === undefined
      ? ""
      : `default ${code(field.default)}`;
  return [code(field.path), typeText(field.type), need, field.description];
}

function outputRow({ path, type, description }: StepField): string[] {
  return [code(path), typeText(type), description];
}

/** Values are code, words are words. */
function typeText(type: string): string {
  return type.includes('"') ? type.split(" | ").map(code).join(", ") : type;
}

function code(text: string): string {
  return `\`${text}\``;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}

/** The text without the indent that all its lines share, and without empty lines around it. */
export function dedent(text: string): string {
  const lines = text.replace(/^\n/, "").trimEnd().split("\n");
  const indents = lines.filter((line) => line.trim() !== "").map((line) => line.search(/\S/));
  return lines.map((line) => line.slice(Math.min(...indents))).join("\n");
}

function asItem(yaml: string): string {
  return `- ${yaml.replaceAll("\n", "\n  ")}`.replace(/ +$/gm, "");
}
