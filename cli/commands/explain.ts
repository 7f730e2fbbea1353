import { stringify } from "yaml";
import { apiPath } from "#cli/api-client.ts";
import { type CliIO, print } from "#cli/io.ts";
import { knownSteps } from "#cli/known-steps.ts";
import { connect, type RemoteOptions } from "#cli/session.ts";
import { formatTable } from "#cli/table.ts";
import { UserError } from "#core/failure.ts";
import { nearestName } from "#core/nearest-name.ts";
import type { CustomPromotionStep } from "#core/resources/custom-promotion-step.ts";
import { loadResources } from "#core/resources/load.ts";
import { readSources } from "#core/resources/sources.ts";
import type { StepDefinition } from "#core/step.ts";
import { fieldsOf, fieldsOfJson, type StepField } from "#core/step-fields.ts";

/** `towpath explain [STEP]` */
export async function explain(
  name: string | undefined,
  options: RemoteOptions & { filename?: string[]; plugin?: string[] },
  io: CliIO,
): Promise<void> {
  const steps = await knownSteps(options.plugin, io);
  if (name === undefined) {
    const known = [...steps, ...(await customSteps(options, io).catch(() => []))];
    const rows = known.map((step) => [nameOf(step), summaryOf(step)]);
    print(io, formatTable(["STEP", "WHAT IT DOES"], rows));
    return;
  }
  const step = steps.find((each) => each.name === name);
  if (step !== undefined) {
    print(io, explanation(step));
    return;
  }
  let notAsked = "";
  const custom = await customSteps(options, io).catch((error: Error) => {
    if (options.filename !== undefined) throw error;
    notAsked = error.message;
    return [];
  });
  const found = custom.find(({ metadata }) => metadata.name === name);
  if (found === undefined) throw unknownStep(name, [...steps, ...custom], notAsked);
  print(io, customExplanation(found));
}

type AnyStep = StepDefinition | CustomPromotionStep;
const nameOf = (step: AnyStep) => ("metadata" in step ? step.metadata.name : step.name);
const summaryOf = (step: AnyStep) => ("metadata" in step ? (step.spec.summary ?? "") : step.summary);

/** Steps that are no built-in ones: those in the files, or else the daemon's. */
async function customSteps(
  options: RemoteOptions & { filename?: string[] },
  io: CliIO,
): Promise<CustomPromotionStep[]> {
  if (options.filename === undefined) {
    const path = apiPath("shared", "custom-promotion-steps");
    return (await connect(options, io).request<{ items: CustomPromotionStep[] }>(path)).items;
  }
  const { sources, problems: unreadable } = await readSources(options.filename, io.stdin);
  const { resources, problems } = loadResources(sources);
  const [problem] = [...unreadable, ...problems];
  if (problem) throw new UserError(`${problem.file}:${problem.line}: ${problem.message}`);
  return resources.flatMap(({ resource }) =>
    resource.kind === "CustomPromotionStep" ? [resource as CustomPromotionStep] : [],
  );
}

function customExplanation({ metadata, spec }: CustomPromotionStep): string {
  const fields = (schema: object | undefined, isConfig: boolean) =>
    schema === undefined ? "  (it does not say)" : fieldTable(fieldsOfJson(schema), isConfig);
  return [
    `${metadata.name}: ${spec.summary ?? "a step of your own"}`,
    `Runs in ${spec.image}.`,
    `CONFIG\n${fields(spec.configSchema, true)}`,
    `OUTPUT\n${fields(spec.outputSchema, false)}`,
    ...(spec.examples ?? []).map(
      ({ title, config }) =>
        `EXAMPLE: ${title}\n${dedent(stringify({ uses: metadata.name, as: metadata.name, config }))}`,
    ),
  ].join("\n\n");
}

function explanation(step: StepDefinition): string {
  return [
    `${step.name}: ${step.summary}`,
    ...(step.notes ? [step.notes.trim()] : []),
    `CONFIG\n${fieldTable(fieldsOf(step.config), true)}`,
    `OUTPUT\n${fieldTable(fieldsOf(step.output, "output"), false)}`,
    ...step.examples.map(({ title, yaml }) => `EXAMPLE: ${title}\n${dedent(yaml)}`),
  ].join("\n\n");
}

function fieldTable(fields: readonly StepField[], isConfig: boolean): string {
  if (fields.length === 0) return "  (nothing)";
  const rows = fields.map(({ path, type, required, default: value, description }) => [
    `  ${path}`,
    type,
    ...(isConfig ? [required ? "required" : value === undefined ? "" : `default ${value}`] : []),
    description,
  ]);
  return formatTable(rows[0] ?? [], rows.slice(1));
}

function dedent(text: string): string {
  const lines = text.replace(/^\n/, "").trimEnd().split("\n");
  const indents = lines.filter((line) => line.trim() !== "").map((line) => line.search(/\S/));
  return lines.map((line) => `  ${line.slice(Math.min(...indents))}`).join("\n");
}

function unknownStep(name: string, known: readonly AnyStep[], notAsked: string): UserError {
  const near = nearestName(name, known.map(nameOf));
  const why = notAsked === "" ? "" : `, and registered ones cannot be looked up: ${notAsked}`;
  return new UserError(`There is no ${notAsked === "" ? "" : "built-in "}step "${name}"${why}`, {
    hint: near ? `did you mean "${near}"?` : "`towpath explain` lists them all",
  });
}
