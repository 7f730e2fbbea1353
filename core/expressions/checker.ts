import { nearestName } from "#core/nearest-name.ts";
import type { Binary, Builtin, Call, Member, Node, Slice, Unary } from "./ast.ts";
import { builtinNames, isBuiltin } from "./builtin-names.ts";
import { ExpressionError, type Span } from "./error.ts";
import type { Nature } from "./natures.ts";
import * as n from "./natures.ts";
import { operationNature } from "./operator-types.ts";
import { pointersOf, predicateRefusal, predicateResult } from "./predicate-types.ts";
import { builtinTypes } from "./signatures.ts";

export type KnownNames = { readonly [name: string]: KnownNames | true };

export interface CheckOptions {
  /** The type of a function of the host by its name. */
  functionType(name: string): Nature | undefined;
  /** Names of functions, for the advice when one is misspelt. */
  readonly functionNames: readonly string[];
  /** When given, every other name is an error; otherwise unknown names are nil when it comes to it. */
  readonly variables?: KnownNames;
}

export interface Checked {
  readonly problems: readonly ExpressionError[];
  /** What is known of each part that was looked at. */
  readonly natures: ReadonlyMap<Node, Nature>;
}

/**
 * Finds what cannot work whatever the values are: types that do not go together, wrong numbers of
 * arguments, fields that a type does not have. Finds all of it; the language itself stops at the first.
 */
export function check(root: Node, expression: string, options: CheckOptions): Checked {
  const checker = new Checker(expression, options);
  checker.visit(root);
  return checker;
}

interface PredicateScope {
  readonly collection: Nature;
  readonly pointers: Readonly<Record<string, Nature>>;
}

class Checker implements Checked {
  readonly problems: ExpressionError[] = [];
  readonly natures = new Map<Node, Nature>();
  private readonly expression: string;
  private readonly options: CheckOptions;
  private readonly variables: { name: string; nature: Nature }[] = [];
  private readonly scopes: PredicateScope[] = [];

  constructor(expression: string, options: CheckOptions) {
    this.expression = expression;
    this.options = options;
  }

  visit(node: Node): Nature {
    const nature = this.natureOf(node);
    this.natures.set(node, nature);
    return nature;
  }

  private natureOf(node: Node): Nature {
    switch (node.kind) {
      case "nil":
        return n.nil;
      case "bool":
        return n.bool;
      case "integer":
        return n.int;
      case "float":
        return n.float;
      case "string":
        return n.string;
      case "bytes":
        return n.bytes;
      case "constants":
        return n.list;
      case "identifier":
        return this.identifier(node.name, node);
      case "unary":
        return this.unary(node);
      case "binary":
        return this.binary(node);
      case "chain":
        return this.visit(node.body);
      case "member":
        return this.member(node);
      case "slice":
        return this.slice(node);
      case "call":
        return this.call(node);
      case "builtin":
        return this.builtin(node);
      case "predicate":
        return this.visit(node.body);
      case "pointer":
        return this.pointer(node.name, node);
      case "let":
        return this.variable(node.name, node.value, node.body, node);
      case "sequence":
        return node.nodes.map((one) => this.visit(one)).at(-1) ?? n.unknown;
      case "conditional":
        return this.conditional(node);
      case "array":
        return this.array(node.nodes);
      case "map":
        for (const { key, value } of node.pairs) {
          this.visit(key);
          this.visit(value);
        }
        return n.map;
      default:
        return node satisfies never;
    }
  }

  private problem(at: Node | { at: Span }, reason: string): Nature {
    this.problems.push(new ExpressionError(reason, this.expression, at.at));
    return n.unknown;
  }

  // Names

  private identifier(name: string, node: Node): Nature {
    const variable = this.variables.findLast((one) => one.name === name);
    if (variable) return variable.nature;
    if (name === "$env") return n.unknown;
    return this.functionType(name) ?? this.environmentName(name, node);
  }

  private functionType(name: string): Nature | undefined {
    const declared = this.options.functionType(name);
    if (declared) return declared;
    const builtin = isBuiltin(name) ? builtinTypes.get(name) : undefined;
    return Array.isArray(builtin) ? n.func(...builtin) : isBuiltin(name) ? n.func() : undefined;
  }

  private environmentName(name: string, node: Node): Nature {
    const known = this.options.variables;
    if (known && !Object.hasOwn(known, name)) {
      const candidates = [...Object.keys(known), ...this.variables.map((one) => one.name)];
      return this.problem(node, `unknown name ${name}${advice(name, candidates)}`);
    }
    return n.unknown;
  }

  /** Complains of `vars.nmae` where everything in `vars` is known. */
  private memberName(node: Member): void {
    const known = this.knownBelow(node.object);
    if (!known || node.optional || node.property.kind !== "string") return;
    const name = node.property.value;
    if (!Object.hasOwn(known, name)) {
      this.problem(node.property, `unknown field ${name}${advice(name, Object.keys(known))}`);
    }
  }

  private knownBelow(node: Node): KnownNames | undefined {
    const { variables } = this.options;
    if (node.kind === "identifier") {
      if (this.variables.some((one) => one.name === node.name)) return undefined;
      return below(variables, node.name);
    }
    if (node.kind !== "member" || node.property.kind !== "string") return undefined;
    return below(this.knownBelow(node.object), node.property.value);
  }

  private variable(name: string, value: Node, body: Node, node: Node): Nature {
    if (this.options.functionType(name)) return this.problem(node, `cannot redeclare function ${name}`);
    if (isBuiltin(name)) return this.problem(node, `cannot redeclare builtin ${name}`);
    if (this.variables.some((one) => one.name === name)) {
      return this.problem(node, `cannot redeclare variable ${name}`);
    }
    this.variables.push({ name, nature: this.visit(value) });
    const nature = this.visit(body);
    this.variables.pop();
    return nature;
  }

  private pointer(name: string, node: Node): Nature {
    const scope = this.scopes.at(-1);
    if (!scope) return this.problem(node, "cannot use pointer accessor outside predicate");
    if (name === "") {
      if (n.isUnknown(scope.collection)) return n.unknown;
      return scope.collection.element ?? n.unknown;
    }
    const pointer = Object.hasOwn(scope.pointers, name) ? scope.pointers[name] : undefined;
    return pointer ?? this.problem(node, `unknown pointer #${name}`);
  }

  // Operators

  private unary(node: Unary): Nature {
    const operand = n.deref(this.visit(node.operand));
    if (node.operator === "!" || node.operator === "not") {
      if (n.isBool(operand) || n.isUnknown(operand)) return n.bool;
    } else {
      if (n.isNumber(operand)) return operand;
      if (n.isUnknown(operand)) return n.unknown;
    }
    return this.problem(node, `invalid operation: ${node.operator} (mismatched type ${operand.type})`);
  }

  private binary(node: Binary): Nature {
    const left = n.deref(this.visit(node.left));
    const right = n.deref(this.visit(node.right));
    const nature = operationNature(node, left, right, (reason) => this.problem(node, reason));
    if (nature) return nature;
    return this.problem(
      node,
      `invalid operation: ${node.operator} (mismatched types ${left.type} and ${right.type})`,
    );
  }

  private conditional(node: Extract<Node, { kind: "conditional" }>): Nature {
    const condition = n.deref(this.visit(node.condition));
    if (!n.isBool(condition) && !n.isUnknown(condition)) {
      this.problem(node.condition, `non-bool expression (type ${condition.type}) used as condition`);
    }
    const then = this.visit(node.whenTrue);
    const otherwise = this.visit(node.whenFalse);
    if (then.kind === "nil") return otherwise;
    if (otherwise.kind === "nil") return then;
    if (!n.assignable(then, otherwise)) return n.unknown;
    if (n.isArray(then) && n.isArray(otherwise)) {
      const [a, b] = [then.element ?? n.unknown, otherwise.element ?? n.unknown];
      if (!n.assignable(a, b) || !n.assignable(b, a)) return n.list;
    }
    return then;
  }

  private array(nodes: readonly Node[]): Nature {
    const natures = nodes.map((one) => this.visit(one));
    const last = natures.at(-1) ?? n.unknown;
    return natures.every((one) => sameKind(one, last)) ? n.arrayOf(last) : n.list;
  }

  // Members, slices, calls

  private member(node: Member): Nature {
    if (node.object.kind === "identifier" && node.object.name === "$env") return this.environmentMember(node);
    const base = this.visit(node.object);
    const property = this.visit(node.property);
    this.memberName(node);
    if (n.isUnknown(base)) return n.unknown;
    const name = node.property.kind === "string" ? node.property.value : undefined;
    if (name !== undefined) {
      if (base.kind === "nil") return this.problem(node, `type nil has no field ${name}`);
      const method = methodNature(base, name);
      if (method) return method;
    }
    return this.element(node, n.deref(base), property, name);
  }

  private environmentMember(node: Member): Nature {
    if (node.property.kind !== "string" || node.optional) return n.unknown;
    return this.environmentName(node.property.value, node);
  }

  private element(node: Member, base: Nature, property: Nature, name: string | undefined): Nature {
    if (base.kind === "map") {
      const key = base.key ?? n.unknown;
      if (n.assignable(property, key) || n.isUnknown(property) || n.assignable(n.deref(property), key)) {
        return base.element ?? n.unknown;
      }
      return this.problem(node.property, `cannot use ${property.type} to get an element from ${base.type}`);
    }
    if (base.kind === "slice") {
      const index = n.deref(property);
      if (n.isInteger(index) || n.isUnknown(index)) return base.element ?? n.unknown;
      return this.problem(
        node.property,
        `array elements can only be selected using an integer (got ${index.type})`,
      );
    }
    if (base.kind === "struct" && name !== undefined && Object.hasOwn(base.fields ?? {}, name)) {
      return base.fields?.[name] ?? n.unknown;
    }
    if (name === undefined) return this.problem(node, `type ${base.type}[${property.type}] is undefined`);
    const names = [...Object.keys(base.fields ?? {}), ...Object.keys(base.methods ?? {})];
    const what = node.method ? "method" : "field";
    return this.problem(node, `type ${base.type} has no ${what} ${name}${advice(name, names)}`);
  }

  private slice(node: Slice): Nature {
    const nature = this.visit(node.object);
    if (n.isUnknown(nature)) return n.unknown;
    if (nature.kind !== "string" && nature.kind !== "slice") {
      return this.problem(node, `cannot slice ${nature.type}`);
    }
    for (const bound of [node.start, node.end]) {
      const index = bound && n.deref(this.visit(bound));
      if (index && !n.isInteger(index) && !n.isUnknown(index)) {
        return this.problem(bound, `non-integer slice index ${index.type}`);
      }
    }
    return nature;
  }

  private call(node: Call): Nature {
    const { callee } = node;
    if (callee.kind === "identifier" && callee.name === "$env") {
      return this.problem(node, "$env is not callable");
    }
    if (callee.kind === "identifier" && this.isMisspeltFunction(callee.name)) {
      const candidates = [...this.options.functionNames, ...builtinNames];
      return this.problem(node, `unknown function ${callee.name}${advice(callee.name, candidates)}`);
    }
    const nature = this.visit(callee);
    if (n.isUnknown(nature)) {
      // The language leaves the arguments of what it does not know alone; only names are worth a look.
      if (this.options.variables) for (const arg of node.args) this.visit(arg);
      return n.unknown;
    }
    const name = calleeName(callee);
    if (nature.kind === "nil") return this.problem(node, `${name} is nil; cannot call nil as function`);
    if (nature.kind !== "func") return this.problem(node, `${nature.type} is not callable`);
    return this.overloads(name, nature.signatures ?? [], node.args, node);
  }

  private isMisspeltFunction(name: string): boolean {
    const { variables } = this.options;
    if (!variables || Object.hasOwn(variables, name) || this.functionType(name)) return false;
    return !this.variables.some((one) => one.name === name);
  }

  /** The result of the first overload that takes the arguments. */
  private overloads(
    name: string,
    signatures: readonly n.Signature[],
    args: readonly Node[],
    node: Node,
  ): Nature {
    const natures = args.map((arg) => this.visit(arg));
    const refusals: (() => Nature)[] = [];
    // One that takes as many arguments as there are has the most to say about why it does not fit.
    const byCount = [...signatures].sort((a, b) => distance(b, args) - distance(a, args));
    for (const { params, result } of byCount) {
      const refusal = this.refusal(name, params, natures, args, node);
      if (!refusal) return result;
      refusals.push(refusal);
    }
    return refusals.at(-1)?.() ?? n.unknown;
  }

  private refusal(
    name: string,
    params: readonly Nature[],
    natures: readonly Nature[],
    args: readonly Node[],
    node: Node,
  ): (() => Nature) | undefined {
    if (natures.length > params.length) return () => this.problem(node, `too many arguments to call ${name}`);
    if (natures.length < params.length)
      return () => this.problem(node, `not enough arguments to call ${name}`);
    const index = natures.findIndex((nature, i) => !accepts(params[i] as Nature, nature));
    if (index < 0) return undefined;
    const [nature, param] = [natures[index] as Nature, params[index] as Nature];
    const given = nature.kind === "nil" ? "nil" : nature.type;
    const reason = `cannot use ${given} as argument (type ${param.type}) to call ${name}`;
    return () => this.problem(args[index] as Node, reason);
  }

  // Built-in functions

  private builtin(node: Builtin): Nature {
    const type = builtinTypes.get(node.name);
    if (node.name === "get") return this.get(node);
    if (!type) return this.predicateBuiltin(node);
    if (typeof type !== "function") return this.overloads(node.name, type, node.args, node);
    const result = type(node.args.map((arg) => this.visit(arg)));
    return typeof result === "string" ? this.problem(node, result) : result;
  }

  private get(node: Builtin): Nature {
    const [object, key] = node.args;
    if (node.args.length !== 2 || !object || !key) {
      return this.problem(node, `invalid number of arguments (expected 2, got ${node.args.length})`);
    }
    const base = this.visit(object);
    const property = n.deref(this.visit(key));
    if (n.isUnknown(base)) return n.unknown;
    if (base.kind === "slice") {
      if (n.isInteger(property) || n.isUnknown(property)) return base.element ?? n.unknown;
      return this.problem(key, `non-integer slice index ${property.type}`);
    }
    if (base.kind === "map") {
      if (n.assignable(property, base.key ?? n.unknown) || n.isUnknown(property))
        return base.element ?? n.unknown;
      return this.problem(key, `cannot use ${property.type} to get an element from ${base.type}`);
    }
    return this.problem(object, `type ${base.type} does not support indexing`);
  }

  private predicateBuiltin(node: Builtin): Nature {
    const [source, predicate, extra] = node.args;
    const collection = n.deref(this.visit(source as Node));
    if (!n.isArray(collection) && !n.isUnknown(collection)) {
      const type = collection.kind === "nil" ? "nil" : collection.type;
      return this.problem(source as Node, `builtin ${node.name} takes only array (got ${type})`);
    }
    const element = n.isUnknown(collection) ? n.unknown : (collection.element ?? n.unknown);
    if (!predicate) return node.name === "sum" ? element : n.int;

    this.scopes.push({ collection, pointers: pointersOf(node.name) });
    const body = this.visit(predicate);
    this.scopes.pop();
    const third = extra && this.visit(extra);
    if (body.kind === "nil") {
      return this.problem(predicate, "predicate should has one input and one output param");
    }
    const refusal = predicateRefusal(node.name, body, third);
    if (refusal) return this.problem(refusal.third ? (extra as Node) : predicate, refusal.reason);
    return predicateResult(node.name, collection, element, body);
  }
}

function distance({ params }: n.Signature, args: readonly Node[]): number {
  return Math.abs(params.length - args.length);
}

/** For the elements of an array, nil is no other kind than what is not known. */
function sameKind(a: Nature, b: Nature): boolean {
  const kind = (nature: Nature) => (nature.kind === "nil" ? "unknown" : nature.kind);
  return kind(a) === kind(b);
}

/** Whether a parameter takes an argument; what is unknown gets the benefit of the doubt. */
function accepts(param: Nature, argument: Nature): boolean {
  if (n.isInteger(argument) && (n.isFloat(param) || n.isInteger(param))) return true;
  if (argument.kind === "nil") return param.kind === "pointer" || param.kind === "interface";
  return n.isUnknown(argument) || n.assignable(argument, param) || n.assignable(n.deref(argument), param);
}

function methodNature(base: Nature, name: string): Nature | undefined {
  const method = Object.hasOwn(base.methods ?? {}, name) ? base.methods?.[name] : undefined;
  return method && n.func(method);
}

function calleeName(callee: Node): string {
  if (callee.kind === "identifier") return callee.name;
  return callee.kind === "member" && callee.property.kind === "string" ? callee.property.value : "function";
}

function below(known: KnownNames | undefined, name: string): KnownNames | undefined {
  const inner = known && Object.hasOwn(known, name) ? known[name] : undefined;
  return inner === true ? undefined : inner;
}

function advice(name: string, candidates: readonly string[]): string {
  const near = nearestName(name, candidates);
  return near === undefined ? "" : `, did you mean ${near}?`;
}
