import { nearestName } from "#core/nearest-name.ts";
import { builtinNames } from "./builtin-names.ts";
import { check } from "./checker.ts";
import { compile, Places } from "./compiler.ts";
import { ExpressionError, type Span } from "./error.ts";
import { type HostFunction, type HostFunctions, natureOfFunction } from "./functions.ts";
import { optimize } from "./optimizer.ts";
import { parse } from "./parser.ts";
import { encode } from "./runtime/wire.ts";
import { templateFunctionNames, templateFunctionType } from "./template-functions.ts";
import { scanTemplate } from "./templates.ts";
import { addUsedNames, project, type UsedNames } from "./used-names.ts";

/** An expression or a template, compiled. */
export interface Program {
  readonly source: string;
  readonly code: string;
  /** Whether it is right for these functions: it depends on the types of those that it calls. */
  fits(functions: HostFunctions): boolean;
  /** The environment as the JSON that the program is given: only the names that it uses. */
  environment(env: Readonly<Record<string, unknown>>, tag: string): string;
  /** The error that a failed run stands for. */
  failure(answer: string): ExpressionError;
}

/** Programs by text; what was not used for long is forgotten first. */
export class ProgramCache {
  private readonly programs = new Map<string, Program>();
  private readonly forget: (program: Program) => void;
  private readonly capacity: number;

  constructor(forget: (program: Program) => void, capacity = 2000) {
    this.forget = forget;
    this.capacity = capacity;
  }

  template(source: string, functions: HostFunctions): Program {
    return this.get(`t${source}`, functions, () => compileTemplate(source, functions));
  }

  expression(source: string, functions: HostFunctions): Program {
    return this.get(`e${source}`, functions, () => compileExpression(source, functions));
  }

  private get(key: string, functions: HostFunctions, make: () => Program): Program {
    const known = this.programs.get(key);
    if (known?.fits(functions)) {
      // Put at the end again, where what was used last stands.
      this.programs.delete(key);
      this.programs.set(key, known);
      return known;
    }
    const program = make();
    if (known) this.forget(known);
    this.programs.set(key, program);
    if (this.programs.size > this.capacity) {
      const [oldest, forgotten] = this.programs.entries().next().value as [string, Program];
      this.programs.delete(oldest);
      this.forget(forgotten);
    }
    return program;
  }
}

/** What the parts of a program have in common while it is being compiled. */
class Build {
  readonly places = new Places();
  readonly locals: string[] = [];
  readonly library = new Set<string>();
  /** The types of the functions that were asked for, by name: with others it would be another program. */
  readonly assumptions = new Map<string, string>();
  used: UsedNames = new Map();
  private readonly source: string;
  private readonly functions: HostFunctions;

  constructor(source: string, functions: HostFunctions) {
    this.source = source;
    this.functions = functions;
  }

  /** The JavaScript of one expression. */
  translate(expression: string, prefix: string, inTemplate: boolean): string {
    const isTemplateFunction = (name: string) => inTemplate && templateFunctionNames.includes(name);
    const isHostFunction = (name: string) => this.find(name) !== undefined;
    const tree = parse(expression, (name) => isTemplateFunction(name) || isHostFunction(name));
    const functionType = (name: string) => {
      if (isTemplateFunction(name)) return templateFunctionType;
      const found = this.find(name);
      return found && natureOfFunction(found);
    };
    const { problems, natures } = check(tree, expression, { functionType, functionNames: [] });
    if (problems[0]) throw problems[0];
    const node = optimize(tree, expression, natures);
    this.used = addUsedNames(node, this.used);
    const options = { isHostFunction, isTemplateFunction };
    const compiled = compile(node, expression, this.places, prefix, options);
    this.locals.push(...compiled.locals);
    for (const name of compiled.library) this.library.add(name);
    return compiled.code;
  }

  use(name: string, ...args: readonly (string | number)[]): string {
    this.library.add(name);
    return `$${name}(${args.join(",")})`;
  }

  finish(code: string): Program {
    const { source, used, places, functions, assumptions } = this;
    const library = [...this.library].map((name) => `$${name}=$.${name}`);
    const constants = library.length === 0 ? "" : `const ${library.join(",")};`;
    const variables = this.locals.length === 0 ? "" : `let ${this.locals.join(",")};`;
    return {
      source,
      code: `${constants}return (e)=>{${variables}return ${code}}`,
      fits: (others) =>
        [...assumptions].every(([name, shape]) => shapeOf(functionOf(others, name)) === shape),
      environment: (env, tag) => writeEnvironment(project(env, used), tag),
      failure(answer) {
        const [, index, reason] = /^(-?\d+)\|([\s\S]*)$/.exec(answer) as unknown as [string, string, string];
        const place = places.get(Number(index));
        const expression = place?.expression ?? source;
        return new ExpressionError(
          reason + calleeAdvice(reason, expression, place?.at, functions),
          expression,
          place?.at,
        );
      },
    };
  }

  private find(name: string): HostFunction | undefined {
    const found = functionOf(this.functions, name);
    this.assumptions.set(name, shapeOf(found));
    return found;
  }
}

function compileExpression(source: string, functions: HostFunctions): Program {
  const build = new Build(source, functions);
  return build.finish(build.use("toJson", build.translate(source, "v", false)));
}

function compileTemplate(source: string, functions: HostFunctions): Program {
  const build = new Build(source, functions);
  const parts = scanTemplate(source).map((part, index) => {
    if ("text" in part) return JSON.stringify(part.text);
    return build.use("show", build.translate(part.expression, `v${index}_`, true), -1);
  });
  return build.finish(parts.length === 0 ? '""' : parts.join("+"));
}

function functionOf(functions: HostFunctions, name: string): HostFunction | undefined {
  return Object.hasOwn(functions, name) ? functions[name] : undefined;
}

/** What a program knows of a function, as a text to compare. */
function shapeOf(found: HostFunction | undefined): string {
  if (!found) return "";
  const signatures = found.signatures?.map(({ params, result }) =>
    [...params, result].map(({ type }) => type).join(),
  );
  return `${found.minArgs}-${found.maxArgs} ${signatures?.join(";") ?? ""}`;
}

function writeEnvironment(env: unknown, tag: string): string {
  const encoded = encode(env, tag);
  const text = JSON.stringify(encoded);
  return encoded === env ? text : `!${text}`;
}

/** Calling nil mostly means that the name is wrong. */
function calleeAdvice(
  reason: string,
  expression: string,
  at: Span | undefined,
  functions: HostFunctions,
): string {
  if (!reason.endsWith("cannot call nil") || !at) return "";
  const name = expression.slice(at.from, at.to);
  const near = nearestName(name, [...Object.keys(functions), ...templateFunctionNames, ...builtinNames]);
  return `: there is no function ${name}${near === undefined ? "" : `, did you mean ${near}?`}`;
}
