import { type CliIO, print } from "#cli/io.ts";
import { formatTable } from "#cli/table.ts";
import { UserError } from "#core/failure.ts";
import { nearestName } from "#core/nearest-name.ts";
import type { StepDefinition } from "#core/step.ts";
import { fieldsOf, type StepField } from "#core/step-fields.ts";
import { builtinSteps } from "#steps/index.ts";

/** `towpath explain [STEP]` */
export function explain(name: string | undefined, io: CliIO): void {
  if (name === undefined) {
    print(
      io,
      formatTable(
        ["STEP", "WHAT IT DOES"],
        builtinSteps.map((step) => [step.name, step.summary]),
      ),
    );
    return;
  }
  const step = builtinSteps.find((each) => each.name === name);
  if (!step) throw unknownStep(name);
  print(io, explanation(step));
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

function unknownStep(name: string): UserError {
  const near = nearestName(
    name,
    builtinSteps.map((step) => step.name),
  );
  return new UserError(`There is no built-in step "${name}"`, {
    hint: near ? `did you mean "${near}"?` : "`towpath explain` lists them all",
  });
}
