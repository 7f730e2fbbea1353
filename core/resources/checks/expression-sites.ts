import { holdsExpression } from "#core/resources/checks/expression-facts.ts";
import type { Path } from "#core/resources/path.ts";
import type { Resource } from "#core/resources/resource.ts";

/** A text outside of promotion steps that is, or may hold, expressions. */
export interface ExpressionSite {
  path: Path;
  text: string;
  /** Whether the whole text is one expression, or expressions stand in delimiters. */
  form: "expression" | "template";
}

/** Fields that are expressions as they are, by kind; `*` stands for any index or key. */
const bareExpressions: Record<string, readonly string[]> = {
  Warehouse: ["spec.freightCreationCriteria.expression", "spec.subscriptions.*.git.expressionFilter"],
  AnalysisTemplate: ["spec.metrics.*.successCondition", "spec.metrics.*.failureCondition"],
  ClusterAnalysisTemplate: ["spec.metrics.*.successCondition", "spec.metrics.*.failureCondition"],
  CustomPromotionStep: ["spec.output.transform.*"],
  MessageChannel: ["spec.http.successExpression", "spec.http.failureExpression"],
  ClusterMessageChannel: ["spec.http.successExpression", "spec.http.failureExpression"],
  EventRouter: ["spec.when"],
  ProjectConfig: ["spec.webhookReceivers.*.generic.actions.*.whenExpression"],
  ClusterConfig: ["spec.webhookReceivers.*.generic.actions.*.whenExpression"],
};

/** Fields in whose texts expressions may stand between `${{` and `}}`. */
const templates: Record<string, readonly string[]> = {
  Stage: ["spec.verification.args.*.value"],
  CustomPromotionStep: ["spec.command.*", "spec.env.*.value"],
  EventRouter: ["spec.output", "spec.channels.*.output", "spec.groupingKey"],
  ProjectConfig: [
    "spec.webhookReceivers.*.generic.actions.*.targetSelectionCriteria",
    "spec.webhookReceivers.*.generic.actions.*.parameters.*",
  ],
  ClusterConfig: [
    "spec.webhookReceivers.*.generic.actions.*.targetSelectionCriteria",
    "spec.webhookReceivers.*.generic.actions.*.parameters.*",
  ],
};

/** The places of a resource where expressions stand, those in promotion steps and their variables left out. */
export function expressionSites(resource: Resource): ExpressionSite[] {
  const expressions = (bareExpressions[resource.kind] ?? []).flatMap((pattern) =>
    textsAt(resource, pattern.split(".")),
  );
  const texts = (templates[resource.kind] ?? []).flatMap((pattern) => textsAt(resource, pattern.split(".")));
  return [
    // An expression that is itself made by expressions cannot be read before they are evaluated.
    ...expressions
      .filter(({ text }) => text !== "" && !holdsExpression(text))
      .map((at) => ({ ...at, form: "expression" as const })),
    ...texts.map((at) => ({ ...at, form: "template" as const })),
  ];
}

function textsAt(
  value: unknown,
  pattern: readonly string[],
  path: Path = [],
): { path: Path; text: string }[] {
  const [step, ...rest] = pattern;
  if (step === undefined) return textsIn(value, path);
  if (typeof value !== "object" || value === null) return [];
  return entriesOf(value)
    .filter(([key]) => step === "*" || key === step)
    .flatMap(([key, inner]) => textsAt(inner, rest, [...path, key]));
}

/** Every text in a value, with its path. */
export function textsIn(value: unknown, path: Path): { path: Path; text: string }[] {
  if (typeof value === "string") return [{ path, text: value }];
  if (typeof value !== "object" || value === null) return [];
  return entriesOf(value).flatMap(([key, inner]) => textsIn(inner, [...path, key]));
}

function entriesOf(value: object): [string | number, unknown][] {
  return Array.isArray(value) ? value.map((item, index) => [index, item]) : Object.entries(value);
}
