import type { Node } from "#core/expressions/ast.ts";
import { checkExpression } from "#core/expressions/check-ahead.ts";
import { ExpressionError } from "#core/expressions/expressions.ts";
import { promotionFunctionTypes } from "#core/expressions/kargo-functions.ts";
import { parse } from "#core/expressions/parser.ts";
import { isTemplate, scanTemplate } from "#core/expressions/templates.ts";

/** What can be said about an expression, or about all of a template's, without evaluating it. */
export interface ExpressionFacts {
  /** Why it cannot be read. */
  errors: string[];
  /** Names that are read from the environment. */
  names: { name: string; withMember: boolean }[];
  /** `outputs.test` is `{ root: "outputs", members: ["test"] }`, as far as the members are literal. */
  members: { root: string; members: string[]; optional: boolean }[];
  /** Functions that are called by name, with their first argument where it is literal text. */
  calls: { name: string; firstText: string | undefined }[];
}

/** The names that Kargo gives functions, and our own `gateLink`; they win over the language's built-in functions. */
export const kargoFunctionNames: readonly string[] = [
  "always",
  "artifactFrom",
  "asJSON",
  "asYAML",
  "chartFrom",
  "commitFrom",
  "configMap",
  "failure",
  "freightMetadata",
  "freightStatus",
  "gateLink",
  "imageFrom",
  "quote",
  "secret",
  "semverDiff",
  "semverParse",
  "sharedConfigMap",
  "sharedSecret",
  "stageMetadata",
  "status",
  "success",
  "unsafeQuote",
  "warehouse",
];
const kargoFunctions = new Set(kargoFunctionNames);
const functionTypes = promotionFunctionTypes();

/** Whether a value has an expression anywhere in it. */
export function holdsExpression(value: unknown): boolean {
  if (typeof value === "string") return isTemplate(value);
  if (typeof value !== "object" || value === null) return false;
  return Object.values(value).some(holdsExpression);
}

/** The facts of all expressions in a template; none when it is plain text. */
export function templateFacts(template: string): ExpressionFacts {
  const facts = noFacts();
  if (!isTemplate(template)) return facts;
  try {
    const parts = scanTemplate(template, (expected, at) => {
      throw new ExpressionError(
        `the expression that starts with ${template.slice(at, at + 12).trim()} has no ${expected}`,
        template,
      );
    });
    for (const part of parts) if ("expression" in part) addTemplateFacts(part.expression, facts);
  } catch (error) {
    facts.errors.push(reasonOf(error));
  }
  return facts;
}

/** The facts of a bare expression. */
export function expressionFacts(expression: string): ExpressionFacts {
  const facts = noFacts();
  addFacts(expression, facts);
  return facts;
}

const noFacts = (): ExpressionFacts => ({ errors: [], names: [], members: [], calls: [] });

/** In templates the types of Kargo's functions are known too, and so what cannot work with them. */
function addTemplateFacts(expression: string, facts: ExpressionFacts): void {
  const before = facts.errors.length;
  addFacts(expression, facts);
  if (facts.errors.length > before) return;
  for (const error of checkExpression(expression, { functions: functionTypes }, true)) {
    facts.errors.push(`${error.reason} in the expression ${expression.trim()}`);
  }
}

function addFacts(expression: string, facts: ExpressionFacts): void {
  try {
    visit(
      parse(expression, (name) => kargoFunctions.has(name)),
      new Set(),
      facts,
    );
  } catch (error) {
    facts.errors.push(`${reasonOf(error)} in the expression ${expression.trim()}`);
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof ExpressionError)) throw error;
  return error.reason;
}

/** `bound` holds the names that `let` gives. */
function visit(node: Node, bound: ReadonlySet<string>, facts: ExpressionFacts): void {
  switch (node.kind) {
    case "identifier":
      if (!bound.has(node.name)) facts.names.push({ name: node.name, withMember: false });
      return;
    case "member":
      if (addMembers(node, bound, facts)) return;
      break;
    case "call":
      if (node.callee.kind === "identifier" && !bound.has(node.callee.name)) {
        const [first] = node.args;
        const firstText = first?.kind === "string" ? first.value : undefined;
        facts.calls.push({ name: node.callee.name, firstText });
        for (const argument of node.args) visit(argument, bound, facts);
        return;
      }
      break;
    case "let":
      visit(node.value, bound, facts);
      visit(node.body, new Set([...bound, node.name]), facts);
      return;
    default:
      break;
  }
  for (const child of childrenOf(node)) visit(child, bound, facts);
}

/** Takes `root.a["b"]` as a whole; the part that is not literal is visited on its own. */
function addMembers(node: Node, bound: ReadonlySet<string>, facts: ExpressionFacts): boolean {
  const members: string[] = [];
  const computed: Node[] = [];
  let optional = false;
  let current = node;
  while (current.kind === "member" || current.kind === "chain") {
    if (current.kind === "chain") {
      current = current.body;
      continue;
    }
    if (current.property.kind === "string") members.unshift(current.property.value);
    else {
      members.length = 0;
      computed.push(current.property);
    }
    optional ||= current.optional;
    current = current.object;
  }
  if (current.kind !== "identifier" || bound.has(current.name)) return false;
  facts.names.push({ name: current.name, withMember: true });
  facts.members.push({ root: current.name, members, optional });
  for (const property of computed) visit(property, bound, facts);
  return true;
}

function childrenOf(node: Node): Node[] {
  const children: unknown[] = Object.entries(node).flatMap(([key, value]): unknown[] => {
    if (key === "at") return [];
    if (key === "pairs")
      return (value as { key: Node; value: Node }[]).flatMap((pair) => [pair.key, pair.value]);
    return Array.isArray(value) ? value : [value];
  });
  return children.filter(
    (child): child is Node => typeof child === "object" && child !== null && "kind" in child,
  );
}
