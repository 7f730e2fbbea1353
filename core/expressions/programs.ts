import { check } from "./checker.ts";
import { compile, Places } from "./compiler.ts";
import { ExpressionError } from "./error.ts";
import { type HostFunction, type HostFunctions, natureOfFunction } from "./functions.ts";
import { optimize } from "./optimizer.ts";
import { parse } from "./parser.ts";
import { encode } from "./runtime/wire.ts";
import { templateFunctionNames, templateFunctionType } from "./template-functions.ts";
import { scanTemplate, type TemplatePart } from "./templates.ts";

/** An expression or a template, compiled. */
export interface Program {
  readonly source: string;
  readonly code: string;
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
    return this.get(`t${source}`, () => compileTemplate(source, functions));
  }

  expression(source: string, functions: HostFunctions): Program {
    return this.get(`e${source}`, () => compileExpression(source, functions));
  }

  private get(key: string, make: () => Program): Program {
    let program = this.programs.get(key);
    if (program) {
      this.programs.delete(key);
    } else {
      program = make();
    }
    this.programs.set(key, program);
    if (this.programs.size > this.capacity) {
      const [oldest, forgotten] = this.programs.entries().next().value as [string, Program];
      this.programs.delete(oldest);
      this.forget(forgotten);
    }
    return program;
  }
}

function compileExpression(source: string, functions: HostFunctions): Program {
  const places = new Places();
  const { code, locals } = translate(source, functions, places, "v", false);
  return program(source, `$.toJson(${code})`, locals, places);
}

function compileTemplate(source: string, functions: HostFunctions): Program {
  const places = new Places();
  const locals: string[] = [];
  const parts = scanTemplate(source, (expected, at) => {
    throw new ExpressionError(
      `unclosed expression: expected "${expected}" but reached end of template`,
      source,
      { from: at, to: source.length },
    );
  }).map((part: TemplatePart, index) => {
    if ("text" in part) return JSON.stringify(part.text);
    const compiled = translate(part.expression, functions, places, `v${index}_`, true);
    locals.push(...compiled.locals);
    return `$.show(${compiled.code},-1)`;
  });
  return program(source, parts.length === 0 ? '""' : parts.join("+"), locals, places);
}

function translate(
  source: string,
  functions: HostFunctions,
  places: Places,
  prefix: string,
  inTemplate: boolean,
) {
  const isHostFunction = (name: string) => Object.hasOwn(functions, name);
  const isTemplateFunction = (name: string) => inTemplate && templateFunctionNames.includes(name);
  const tree = parse(source, (name) => isHostFunction(name) || isTemplateFunction(name));
  const functionType = (name: string) => {
    if (isTemplateFunction(name)) return templateFunctionType;
    return isHostFunction(name) ? natureOfFunction(functions[name] as HostFunction) : undefined;
  };
  const { problems, natures } = check(tree, source, { functionType, functionNames: [] });
  if (problems[0]) throw problems[0];
  const node = optimize(tree, source, natures);
  return compile(node, source, places, prefix, { isHostFunction, isTemplateFunction });
}

function program(source: string, code: string, locals: readonly string[], places: Places): Program {
  const declared = locals.length === 0 ? "" : `let ${locals.join(",")};`;
  return {
    source,
    code: `return (e)=>{${declared}return ${code}}`,
    environment: (env, tag) => JSON.stringify(encode(env, tag)),
    failure(answer) {
      const [, index, reason] = /^(-?\d+)\|([\s\S]*)$/.exec(answer) as unknown as [string, string, string];
      const place = places.get(Number(index));
      return new ExpressionError(reason, place?.expression ?? source, place?.at);
    },
  };
}
