import { check, type KnownNames } from "./checker.ts";
import { ExpressionError } from "./error.ts";
import { type HostFunctions, natureOfFunction } from "./functions.ts";
import { optimize } from "./optimizer.ts";
import { parse } from "./parser.ts";
import { templateFunctionNames, templateFunctionType } from "./template-functions.ts";
import { isTemplate, scanTemplate } from "./templates.ts";

/** What is known of a scope before anything is run. */
export interface KnownScope {
  /**
   * The names that expressions may use, with those below them: `true` where anything may stand. Without
   * it every name will do.
   */
  readonly variables?: KnownNames;
  readonly functions: HostFunctions;
}

/** What can be said against a bare expression without running it. */
export function checkExpression(
  expression: string,
  known: KnownScope,
  inTemplate = false,
): ExpressionError[] {
  const { variables, functions } = known;
  const functionType = (name: string) => {
    if (inTemplate && templateFunctionNames.includes(name)) return templateFunctionType;
    const found = Object.hasOwn(functions, name) ? functions[name] : undefined;
    return found && natureOfFunction(found);
  };
  const functionNames = [...Object.keys(functions), ...(inTemplate ? templateFunctionNames : [])];
  try {
    const tree = parse(expression, (name) => functionType(name) !== undefined);
    const { problems, natures } = check(tree, expression, { functionType, functionNames, variables });
    if (problems.length === 0) optimize(tree, expression, natures);
    return [...problems];
  } catch (error) {
    if (error instanceof ExpressionError) return [error];
    throw error;
  }
}

/** The same for each expression in a template. */
export function checkTemplate(template: string, known: KnownScope): ExpressionError[] {
  if (!isTemplate(template)) return [];
  try {
    return scanTemplate(template).flatMap((part) =>
      "expression" in part ? checkExpression(part.expression, known, true) : [],
    );
  } catch (error) {
    if (error instanceof ExpressionError) return [error];
    throw error;
  }
}
