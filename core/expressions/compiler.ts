import type { Binary, Builtin, Call, Chain, Member, Node } from "./ast.ts";
import { predicateBuiltins } from "./builtin-names.ts";
import type { Span } from "./error.ts";

/** Collects where the parts of a program came from, so that a failure can name the place. */
export class Places {
  private readonly all: { expression: string; at: Span }[] = [];

  add(expression: string, at: Span): number {
    return this.all.push({ expression, at }) - 1;
  }

  get(index: number): { expression: string; at: Span } | undefined {
    return this.all[index];
  }
}

const binaryFunctions: Readonly<Record<string, string>> = {
  "+": "add",
  "-": "subtract",
  "*": "multiply",
  "/": "divide",
  "%": "modulo",
  "**": "power",
  "^": "power",
  "<": "less",
  ">": "more",
  "<=": "lessOrEqual",
  ">=": "moreOrEqual",
  in: "isIn",
  matches: "matches",
  contains: "contains",
  startsWith: "startsWith",
  endsWith: "endsWith",
  "..": "range",
};

/** Operators in a row from which on it is written flat. */
const longRow = 40;

export interface CompileOptions {
  /** Whether a name that is called is one of the host's functions. */
  isHostFunction(name: string): boolean;
  /** Whether it is one that templates bring along. */
  isTemplateFunction(name: string): boolean;
}

/** The JavaScript of an expression, as an expression; `locals` must be declared around it. */
export interface Compiled {
  readonly code: string;
  readonly locals: readonly string[];
  /** The functions of the runtime that the code calls, each by its name behind a "$". */
  readonly library: ReadonlySet<string>;
}

/**
 * Writes JavaScript for a tree: calls of the runtime's functions, over the environment `e`. `prefix`
 * keeps the locals of several expressions in one program apart.
 */
export function compile(
  node: Node,
  expression: string,
  places: Places,
  prefix: string,
  options: CompileOptions,
): Compiled {
  const compiler = new Compiler(expression, places, prefix, options);
  const code = compiler.write(node);
  return { code, locals: compiler.locals, library: compiler.library };
}

class Compiler {
  readonly locals: string[] = [];
  readonly library = new Set<string>();
  private readonly expression: string;
  private readonly places: Places;
  private readonly prefix: string;
  private readonly options: CompileOptions;
  /** Variables by name, the innermost last. */
  private readonly variables: { name: string; local: string }[] = [];
  /** How many predicates stand around: their parameters are numbered so that inner ones hide nothing. */
  private predicates = 0;

  constructor(expression: string, places: Places, prefix: string, options: CompileOptions) {
    this.expression = expression;
    this.places = places;
    this.prefix = prefix;
    this.options = options;
  }

  write(node: Node): string {
    switch (node.kind) {
      case "nil":
        return "null";
      case "bool":
        return String(node.value);
      case "integer":
        return integer(node.value);
      case "float":
        return this.float(node.value);
      case "string":
        return JSON.stringify(node.value);
      case "bytes":
        return this.use("bytes", `[${Array.from(node.value, (byte) => byte.charCodeAt(0)).join(",")}]`);
      case "constants":
        throw new Error("A set of constants stands only to the right of `in`");
      case "identifier":
        return this.identifier(node.name);
      case "unary":
        return this.unary(node.operator, this.write(node.operand), this.place(node));
      case "binary":
        return this.binary(node);
      case "chain":
        return this.chain(node);
      case "member":
        return this.fetch(this.write(node.object), node);
      case "slice":
        return this.slice(this.write(node.object), node);
      case "call":
        return this.call(node);
      case "builtin":
        return this.builtin(node);
      case "predicate":
        return this.predicate(node.body);
      case "pointer":
        return `${{ "": "i", index: "n", acc: "a" }[node.name] ?? "i"}${this.predicates}`;
      case "let":
        return this.variable(node.name, node.value, node.body);
      case "sequence":
        return `(${node.nodes.map((one) => this.write(one)).join(",")})`;
      case "conditional":
        return this.conditional(node);
      case "array":
        return this.use("array", this.writeAll(node.nodes), this.place(node));
      case "map": {
        const pairs = node.pairs.map(({ key, value }) => `[${this.write(key)},${this.write(value)}]`);
        return this.use("mapOf", `[${pairs.join(",")}]`, this.place(node));
      }
      default:
        return node satisfies never;
    }
  }

  private identifier(name: string): string {
    const variable = this.variables.findLast((one) => one.name === name);
    if (variable) return variable.local;
    return name === "$env" ? "e" : this.use("own", "e", JSON.stringify(name));
  }

  private conditional(node: Extract<Node, { kind: "conditional" }>): string {
    const condition = this.use("bool", this.write(node.condition), this.place(node.condition));
    return `(${condition}?${this.write(node.whenTrue)}:${this.write(node.whenFalse)})`;
  }

  private float(value: number): string {
    const text = Object.is(value, -0) ? "-0" : String(value);
    return Number.isSafeInteger(value) ? this.use("float", text) : `(${text})`;
  }

  private unary(operator: string, operand: string, at: number): string {
    if (operator === "-") return this.use("negate", operand, at);
    return operator === "+" ? operand : `!${this.use("bool", operand, at)}`;
  }

  /** A long row of operators is written one after the other, so as not to nest as deep as it is long. */
  private binary(root: Binary): string {
    const row: Binary[] = [root];
    for (let { left } = root; left.kind === "binary"; { left } = left) row.push(left);
    if (row.length < longRow) return this.operation(root, this.write(root.left));
    const local = this.local();
    const first = row.pop() as Binary;
    const steps = [this.operation(first, this.write(first.left))];
    for (const node of row.reverse()) steps.push(this.operation(node, local));
    return `(${steps.map((step) => `${local}=${step}`).join(",")})`;
  }

  private operation(node: Binary, a: string): string {
    const { operator, left, right } = node;
    const at = this.place(node);
    if (operator === "in" && right.kind === "constants") {
      const values = right.values.map((value) =>
        typeof value === "bigint" ? integer(value) : JSON.stringify(value),
      );
      return this.use("isInSet", a, `new Set([${values.join(",")}])`, JSON.stringify(right.of), at);
    }
    const b = this.write(right);
    switch (operator) {
      case "==":
        return this.use("equal", a, b);
      case "!=":
        return `!${this.use("equal", a, b)}`;
      case "and":
      case "&&":
        return `(${this.use("bool", a, at)}?${b}:false)`;
      case "or":
      case "||":
        return `(${this.use("bool", a, at)}?true:${b})`;
      case "??":
        return left.kind === "builtin" || left.kind === "call"
          ? `(${this.use("given", a)}??${b})`
          : `(${a}??${b})`;
    }
    return this.use(binaryFunctions[operator] as string, a, b, at);
  }

  /** `a?.b.c` stops at nil as a whole: what follows is written inside of the test for it. */
  private chain(node: Chain): string {
    return this.links(node.body, (code) => code);
  }

  private links(node: Node, rest: (code: string) => string): string {
    switch (node.kind) {
      case "member":
        return this.links(node.object, (object) => {
          if (!node.optional) return rest(this.fetch(object, node));
          const local = this.local();
          return `((${local}=${object})===null?null:${rest(this.fetch(local, node))})`;
        });
      case "call":
        if (node.callee.kind !== "member") return rest(this.write(node));
        return this.links(node.callee, (callee) => rest(this.callValue(callee, node)));
      case "slice":
        return this.links(node.object, (object) => rest(this.slice(object, node)));
      default:
        return rest(this.write(node));
    }
  }

  private fetch(object: string, node: Member): string {
    return this.use("fetch", object, this.write(node.property), this.place(node));
  }

  private slice(object: string, node: Extract<Node, { kind: "slice" }>): string {
    const at = this.place(node);
    const local = this.local();
    const end = node.end ? this.write(node.end) : this.use("sliceEnd", local, at);
    const start = node.start ? this.write(node.start) : "0";
    return `(${local}=${object},${this.use("slice", local, start, end, at)})`;
  }

  private call(node: Call): string {
    if (node.callee.kind === "identifier" && this.options.isHostFunction(node.callee.name)) {
      return this.use("call", JSON.stringify(node.callee.name), this.writeAll(node.args), this.place(node));
    }
    if (node.callee.kind === "identifier" && this.options.isTemplateFunction(node.callee.name)) {
      return this.use(node.callee.name, ...node.args.map((arg) => this.write(arg)));
    }
    return this.callValue(this.write(node.callee), node);
  }

  private callValue(callee: string, node: Call): string {
    return this.use("callValue", callee, this.writeAll(node.args), this.place(node));
  }

  private builtin(node: Builtin): string {
    const at = this.place(node);
    if (!predicateBuiltins.has(node.name)) {
      this.library.add("builtins");
      return `$builtins.${node.name}(${this.writeAll(node.args)},${at})`;
    }
    const [array, predicate, third] = node.args;
    const source = this.write(array as Node);
    const body = predicate ? this.write(predicate) : "(i)=>i";
    const mapped = node.mapped ? this.predicate(node.mapped) : "null";
    const extra =
      {
        filter: [mapped],
        count: [node.threshold === undefined ? "null" : String(node.threshold)],
        find: [mapped, String(node.throws ?? false)],
        findLast: [mapped, String(node.throws ?? false)],
        sortBy: [third ? this.write(third) : '"asc"'],
        reduce: [third ? `{value:${this.write(third)}}` : "null"],
      }[node.name] ?? [];
    return this.use(node.name, source, body, ...extra, at);
  }

  private predicate(body: Node): string {
    this.predicates++;
    const level = this.predicates;
    const code = this.write(body);
    this.predicates--;
    return `((i${level},n${level},a${level})=>(${code}))`;
  }

  private variable(name: string, value: Node, body: Node): string {
    const code = this.write(value);
    const local = this.local();
    this.variables.push({ name, local });
    const rest = this.write(body);
    this.variables.pop();
    return `(${local}=${code},${rest})`;
  }

  /** A call of a function of the runtime. */
  private use(name: string, ...args: readonly (string | number)[]): string {
    this.library.add(name);
    return `$${name}(${args.join(",")})`;
  }

  private writeAll(nodes: readonly Node[]): string {
    return `[${nodes.map((one) => this.write(one)).join(",")}]`;
  }

  private local(): string {
    const name = `${this.prefix}${this.locals.length}`;
    this.locals.push(name);
    return name;
  }

  private place(node: Node): number {
    return this.places.add(this.expression, node.at);
  }
}

function integer(value: bigint): string {
  const small = Number(value);
  const text = Number.isSafeInteger(small) ? String(value) : `${value}n`;
  return value < 0n ? `(${text})` : text;
}
