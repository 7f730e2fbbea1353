import { builtinNames } from "#core/expressions/builtin-names.ts";
import { didYouMean } from "#core/nearest-name.ts";
import { unknownContextMember } from "#core/resources/checks/context-members.ts";
import {
  type ExpressionFacts,
  kargoFunctionNames,
  templateFacts,
} from "#core/resources/checks/expression-facts.ts";
import { textsIn } from "#core/resources/checks/expression-sites.ts";
import type { Finding } from "#core/resources/checks/finding.ts";
import { aliasOf, type StepList } from "#core/resources/checks/step-lists.ts";
import { refIn, type World } from "#core/resources/checks/world.ts";
import type { Path } from "#core/resources/path.ts";
import type { PromotionStep } from "#core/resources/promotion-step.ts";
import type { PromotionTask } from "#core/resources/promotion-task.ts";

/** What expressions at one place can see. Sets that are left out are not known and not checked. */
interface View {
  names: readonly string[];
  /** What may follow `outputs.`, and in a task `task.outputs.`. */
  outputs?: ReadonlySet<string>;
  taskOutputs?: ReadonlySet<string>;
  variables?: ReadonlySet<string>;
  /** Aliases of tasks that put nothing out. */
  silent?: ReadonlySet<string>;
}

type Report = Omit<Finding, "resource" | "path">;

/** Whether the expressions of steps and their variables can be read, and name only what is there. */
export function checkStepExpressions(list: StepList, world: World): Finding[] {
  const findings: Finding[] = [];
  const inspect = (value: unknown, path: Path, view: View) => {
    for (const { text, path: at } of textsIn(value, path)) {
      for (const report of reportsOn(templateFacts(text), view))
        findings.push({ resource: list.resource, path: at, ...report });
    }
  };

  for (const { path, variables } of list.variables) {
    const view: View =
      list.of === "task" ? { names: stepNames("task") } : { names: ["ctx", "vars", "target"] };
    for (const [index, { value }] of variables.entries()) inspect(value, [...path, index, "value"], view);
  }
  const known = new Set<string>();
  const silent = new Set<string>();
  for (const [index, step] of list.steps.entries()) {
    const path = [...list.path, index];
    const view = viewOf(list, step, known, silent);
    for (const [position, { value }] of (step.vars ?? []).entries())
      inspect(value, [...path, "vars", position, "value"], view);
    inspect(step.forEach?.items, [...path, "forEach", "items"], view);
    inspect(step.if, [...path, "if"], view);
    inspect(step.config, [...path, "config"], view);
    addOutputs(step, index, list, world, known, silent);
  }
  return findings;
}

function stepNames(of: StepList["of"]): string[] {
  return ["ctx", "vars", "outputs", "stepMetas", "target", ...(of === "template" ? [] : ["task"])];
}

function viewOf(
  list: StepList,
  step: PromotionStep,
  known: ReadonlySet<string>,
  silent: ReadonlySet<string>,
): View {
  const names = stepNames(list.of);
  switch (list.of) {
    case "template": {
      const variables = [...list.variables.flatMap(({ variables }) => variables), ...(step.vars ?? [])];
      const variableNames = [...variables.map(({ name }) => name), ...itemNames(step)];
      return { names, outputs: known, silent, variables: new Set(variableNames) };
    }
    case "task":
      return { names, taskOutputs: known };
    case "promotion":
      return { names };
    default:
      return list.of satisfies never;
  }
}

/** The variables that hold an item of a list and its place. */
function itemNames({ forEach }: PromotionStep): string[] {
  if (forEach === undefined) return [];
  const { as = "item" } = forEach;
  return [as, `${as}Index`];
}

/** What later steps can read once this one has run. */
function addOutputs(
  step: PromotionStep,
  index: number,
  list: StepList,
  world: World,
  known: Set<string>,
  silent: Set<string>,
): void {
  const alias = aliasOf(step, index);
  known.add(alias);
  if (step.task === undefined || step.forEach !== undefined) return;
  const kind = step.task.kind ?? "PromotionTask";
  const project = kind === "PromotionTask" ? list.resource.resource.metadata.namespace : undefined;
  const task = world.find(refIn(project, kind, step.task.name)) as PromotionTask | undefined;
  if (task === undefined) return;
  for (const [position, inner] of task.spec.steps.entries())
    known.add(`${alias}::${aliasOf(inner, position)}`);
  const puts = task.spec.steps.some(
    ({ uses = "" }) => world.steps.get(uses)?.taskOutput ?? uses === "compose-output",
  );
  if (!puts) silent.add(alias);
}

function reportsOn(facts: ExpressionFacts, view: View): Report[] {
  return [
    ...facts.errors.map((message): Report => ({ severity: "error", message })),
    ...facts.names.flatMap(({ name, withMember }) => unknownName(name, withMember, view)),
    ...facts.calls.flatMap(({ name }) => unknownFunction(name)),
    ...facts.members.flatMap((reference) => unknownMember(reference, view)),
  ];
}

function unknownName(name: string, withMember: boolean, { names }: View): Report[] {
  if (names.includes(name) || name === "$env") return [];
  if (functionNames.has(name)) return [];
  const only = name === "task" ? "; only the steps of a task know it" : "";
  const message = `the expression names "${name}", which is not known here${didYouMean(name, names) || only}`;
  // Reading a member of what is not there fails for certain; alone it is nil.
  return [{ severity: withMember ? "error" : "warning", message }];
}

const functionNames = new Set([...kargoFunctionNames, ...builtinNames]);

function unknownFunction(name: string): Report[] {
  if (functionNames.has(name)) return [];
  return [{ severity: "error", message: `unknown function "${name}"${didYouMean(name, functionNames)}` }];
}

function unknownMember(
  { root, members, optional }: ExpressionFacts["members"][number],
  view: View,
): Report[] {
  const [first, second] = members;
  if (root === "outputs" && first !== undefined)
    return unknownOutput(first, optional, view.outputs, view.silent);
  if (root === "task" && first === "outputs" && second !== undefined) {
    return unknownOutput(second, optional, view.taskOutputs);
  }
  if (root === "ctx") {
    const message = unknownContextMember(members);
    return message === undefined ? [] : [{ severity: "warning", message }];
  }
  if (root === "vars" && first !== undefined && view.variables && !view.variables.has(first)) {
    return [
      { severity: "warning", message: `there is no variable "${first}"${didYouMean(first, view.variables)}` },
    ];
  }
  return [];
}

function unknownOutput(
  alias: string,
  optional: boolean,
  known: ReadonlySet<string> | undefined,
  silent: ReadonlySet<string> = new Set(),
): Report[] {
  if (known === undefined) return [];
  if (silent.has(alias)) {
    const message = `the task "${alias}" puts nothing out; a compose-output step in it would`;
    return [{ severity: optional ? "warning" : "error", message }];
  }
  if (known.has(alias)) return [];
  const advice = didYouMean(alias, known) || listOf(known);
  const message = `no earlier step has the alias "${alias}"${advice}`;
  return [{ severity: optional ? "warning" : "error", message }];
}

function listOf(aliases: ReadonlySet<string>): string {
  return aliases.size === 0 ? "; it is the first step" : `; earlier steps: ${[...aliases].join(", ")}`;
}
