import { checkExpression, checkTemplate, type KnownScope } from "./check-ahead.ts";
import { Engine } from "./engine.ts";
import { ExpressionError } from "./error.ts";
import type { Scope } from "./functions.ts";
import { printFloat } from "./runtime/print.ts";
import { coerce, isTemplate } from "./templates.ts";

export type { KnownScope } from "./check-ahead.ts";
export type { KnownNames } from "./checker.ts";
export { ExpressionError } from "./error.ts";
export type { HostFunction, HostFunctions, HostValue, Scope } from "./functions.ts";

export interface ExpressionLimits {
  /** Of all values of one evaluation; 64 MiB by default. */
  readonly memoryBytes?: number;
  /** For one evaluation, the time that host functions take not counted; 1000 by default. */
  readonly milliseconds?: number;
}

/** Evaluates expr-lang. Everything thrown is an ExpressionError, and so is what host functions throw. */
export interface Expressions {
  /** The value of a bare expression, as JSON. */
  evaluate(expression: string, scope: Scope): Promise<unknown>;
  /** The value of a bare expression, as the JSON text that Go would write. */
  evaluateToJson(expression: string, scope: Scope): Promise<string>;
  /** A string with `${{ }}` or `${% %}` in it; other strings come back as they are. */
  evaluateTemplate(template: string, scope: Scope): Promise<unknown>;
  /** A template's text with its expressions filled in; text it stays, whatever it looks like. */
  renderTemplate(template: string, scope: Scope): Promise<string>;
  /** All strings in the values of a JSON value as templates; keys are left alone. */
  evaluateJsonTemplate(value: unknown, scope: Scope): Promise<unknown>;
  /** What can be said against an expression without running it. */
  check(expression: string, known: KnownScope): ExpressionError[];
  /** The same for each expression in a template. */
  checkTemplate(template: string, known: KnownScope): ExpressionError[];
  dispose(): void;
}

/** Starts a sandbox; it lasts until it is disposed of, and may serve any number of evaluations at once. */
export async function createExpressions(limits: ExpressionLimits = {}): Promise<Expressions> {
  const engine = new Engine({
    memoryBytes: limits.memoryBytes ?? 64 * 1024 * 1024,
    milliseconds: limits.milliseconds ?? 1000,
  });
  await engine.start();

  const evaluateToJson = async (expression: string, scope: Scope) =>
    engine.run(engine.programs.expression(expression, scope.functions), scope);

  const renderTemplate = async (template: string, scope: Scope): Promise<string> =>
    isTemplate(template) ? engine.run(engine.programs.template(template, scope.functions), scope) : template;

  const evaluateTemplate = async (template: string, scope: Scope): Promise<unknown> =>
    isTemplate(template) ? coerce(await renderTemplate(template, scope)) : template;

  const evaluateValue = async (value: unknown, scope: Scope): Promise<unknown> => {
    if (typeof value === "string") {
      const evaluated = await evaluateTemplate(value, scope);
      if (typeof evaluated !== "number" || Number.isFinite(evaluated)) return evaluated;
      throw new ExpressionError(`json: unsupported value: ${printFloat(evaluated)}`, value);
    }
    if (value === null || typeof value !== "object") return value;
    if (Array.isArray(value)) {
      const elements: unknown[] = [];
      for (const element of value) elements.push(await evaluateValue(element, scope));
      return elements;
    }
    const entries: [string, unknown][] = [];
    for (const [key, entry] of Object.entries(value)) {
      entries.push([key, await evaluateValue(entry, scope)]);
    }
    return Object.fromEntries(entries);
  };

  const evaluateJsonTemplate = async (value: unknown, scope: Scope): Promise<unknown> => {
    const reserved = ["quote", "asYAML", "asJSON"].find((name) => Object.hasOwn(scope.env, name));
    if (reserved === undefined || typeof value === "string") return evaluateValue(value, scope);
    throw new ExpressionError(`"${reserved}" is a forbidden key in the environment: it names a function`, "");
  };

  return {
    evaluate: async (expression, scope) => JSON.parse(await evaluateToJson(expression, scope)),
    evaluateToJson,
    evaluateTemplate,
    renderTemplate,
    evaluateJsonTemplate,
    check: (expression, known) => checkExpression(expression, known),
    checkTemplate,
    dispose: () => engine.dispose(),
  };
}
