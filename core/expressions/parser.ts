import type { Binary, Conditional, MapLiteral, Member, Node, Predicate } from "./ast.ts";
import { isBuiltin, type PredicateArgument, predicateBuiltins } from "./builtin-names.ts";
import { parseFloatLiteral, parseIntegerLiteral } from "./number-literals.ts";
import { show, TokenCursor } from "./token-cursor.ts";
import type { Token } from "./tokens.ts";
import { depthOf } from "./tree.ts";

/** As many nodes as the language allows by default. */
const maxNodes = 10_000;
/** Deeper trees than anybody writes would only exhaust the stacks of those who walk them. */
const maxDepth = 300;
/** A row of operators (`a + b + c …`) goes further. */
const maxRow = 1000;

const unaryPrecedence: Readonly<Record<string, number>> = { not: 50, "!": 50, "-": 90, "+": 90 };

const binaryPrecedence: Readonly<Record<string, number>> = {
  "|": 0,
  or: 10,
  "||": 10,
  and: 15,
  "&&": 15,
  "==": 20,
  "!=": 20,
  "<": 20,
  ">": 20,
  ">=": 20,
  "<=": 20,
  in: 20,
  matches: 20,
  contains: 20,
  startsWith: 20,
  endsWith: 20,
  "..": 25,
  "+": 30,
  "-": 30,
  "*": 60,
  "/": 60,
  "%": 60,
  "**": 100,
  "^": 100,
  "??": 500,
};

const rightAssociative = new Set(["**", "^"]);
const negatable = new Set(["contains", "matches", "startsWith", "endsWith", "in"]);
const comparisons = new Set(["<", ">", ">=", "<="]);

/**
 * Reads an expression. Functions for which `overridden` says yes are called by name even where a built-in
 * has that name. Throws an ExpressionError at the first thing that does not fit.
 */
export function parse(source: string, overridden: (name: string) => boolean = () => false): Node {
  return new Parser(source, overridden).run();
}

class Parser extends TokenCursor {
  private readonly overridden: (name: string) => boolean;
  private nodes = 0;
  private depth = 0;
  private predicateDepth = 0;

  constructor(source: string, overridden: (name: string) => boolean) {
    super(source);
    this.overridden = overridden;
  }

  run(): Node {
    const node = this.sequence();
    if (!this.is("EOF")) this.unexpected();
    const { nested, along } = depthOf(node);
    if (nested > maxDepth || along > maxRow) this.fail("expression is nested too deeply", node.at);
    return node;
  }

  // Expressions

  private sequence(): Node {
    const first = this.expression(0);
    const nodes = [first];
    while (this.is("Operator", ";")) {
      this.advance();
      if (this.is("EOF")) break;
      nodes.push(this.expression(0));
    }
    return nodes.length === 1 ? first : this.node({ kind: "sequence", nodes, at: first.at });
  }

  private expression(precedence: number): Node {
    if (++this.depth > maxDepth) this.fail("expression is nested too deeply");
    try {
      if (precedence === 0 && this.is("Operator", "let")) return this.variable();
      if (precedence === 0 && this.is("Operator", "if")) return this.ifElse();
      const node = this.operations(precedence);
      return precedence === 0 ? this.ternary(node) : node;
    } finally {
      this.depth--;
    }
  }

  private operations(precedence: number): Node {
    let left = this.primary();
    let previous = "";
    while (this.is("Operator")) {
      const negated = this.current.value === "not";
      const operator = negated ? this.peek() : this.current;
      if (negated && !negatable.has(operator.value)) {
        this.advance();
        this.unexpected();
      }
      const own = binaryPrecedence[operator.value];
      if (own === undefined || own < precedence) break;
      if (negated) this.advance();
      this.advance();

      if (operator.value === "|") {
        left = this.pipe(left);
      } else {
        if (previous === "??" && operator.value !== "??") this.mixedCoalesce(operator);
        left = comparisons.has(operator.value)
          ? this.comparison(left, operator, own)
          : this.binary(left, operator, own, negated);
      }
      previous = operator.value;
    }
    return left;
  }

  private pipe(left: Node): Node {
    const name = this.current;
    this.expect("Identifier");
    return this.call(name, [left], true);
  }

  private binary(left: Node, operator: Token, precedence: number, negated: boolean): Node {
    const right = this.expression(rightAssociative.has(operator.value) ? precedence : precedence + 1);
    const node = this.node({ kind: "binary", operator: operator.value, left, right, at: operator });
    return negated ? this.node({ kind: "unary", operator: "not", operand: node, at: operator }) : node;
  }

  /** `a < b < c` means `a < b && b < c`. */
  private comparison(left: Node, first: Token, precedence: number): Node {
    let operator = first;
    let root: Binary | undefined;
    let operand = left;
    for (;;) {
      const right = this.expression(precedence + 1);
      const next = { kind: "binary", operator: operator.value, left: operand, right, at: operator } as const;
      this.node(next);
      root = root
        ? this.node({ kind: "binary", operator: "&&", left: root, right: next, at: operator })
        : next;
      operand = right;
      operator = this.current;
      if (operator.kind !== "Operator" || !comparisons.has(operator.value)) return root;
      this.advance();
    }
  }

  private ternary(start: Node): Node {
    let node = start;
    while (this.is("Operator", "?")) {
      this.advance();
      let whenTrue = node;
      if (!this.is("Operator", ":")) whenTrue = this.expression(0);
      this.expect("Operator", ":");
      const whenFalse = this.expression(0);
      node = this.node({ kind: "conditional", condition: node, whenTrue, whenFalse, at: this.current });
    }
    return node;
  }

  private variable(): Node {
    this.advance();
    const name = this.current;
    this.expect("Identifier");
    this.expect("Operator", "=");
    const value = this.expression(0);
    this.expect("Operator", ";");
    const body = this.sequence();
    return this.node({ kind: "let", name: name.value, value, body, at: name });
  }

  private ifElse(): Conditional {
    const at = this.current;
    this.advance();
    const condition = this.expression(0);
    const whenTrue = this.block();
    this.expect("Operator", "else");
    const whenFalse = this.is("Operator", "if") ? this.ifElse() : this.block();
    return { kind: "conditional", condition, whenTrue, whenFalse, at };
  }

  private block(): Node {
    this.expect("Bracket", "{");
    const body = this.sequence();
    this.expect("Bracket", "}");
    return body;
  }

  // Operands

  private primary(): Node {
    const token = this.current;
    const precedence = token.kind === "Operator" ? unaryPrecedence[token.value] : undefined;
    if (precedence !== undefined) {
      this.advance();
      const operand = this.expression(precedence);
      return this.postfix(this.node({ kind: "unary", operator: token.value, operand, at: token }));
    }
    if (this.is("Bracket", "(")) {
      this.advance();
      const node = this.sequence();
      this.expect("Bracket", ")");
      return this.postfix(node);
    }
    if (this.predicateDepth > 0 && (this.is("Operator", "#") || this.is("Operator", "."))) {
      return this.postfix(this.pointer(token));
    }
    if (this.is("Operator", "::")) {
      this.advance();
      const name = this.current;
      this.expect("Identifier");
      return this.postfix(this.call(name, [], false));
    }
    return this.secondary(token);
  }

  private pointer(token: Token): Node {
    let name = "";
    // A leading "." is left where it is: the field that follows it belongs to the element.
    if (token.value === "#") {
      this.advance();
      if (this.is("Identifier")) {
        name = this.current.value;
        this.advance();
      }
    }
    return this.node({ kind: "pointer", name, at: token });
  }

  private secondary(token: Token): Node {
    switch (token.kind) {
      case "Identifier":
        this.advance();
        if (token.value === "true" || token.value === "false") {
          return this.node({ kind: "bool", value: token.value === "true", at: token });
        }
        if (token.value === "nil") return this.node({ kind: "nil", at: token });
        if (this.is("Bracket", "(")) return this.postfix(this.call(token, [], true));
        return this.postfix(this.node({ kind: "identifier", name: token.value, at: token }));
      case "Number":
        this.advance();
        return this.number(token);
      case "String":
        this.advance();
        return this.postfix(this.node({ kind: "string", value: token.value, at: token }));
      case "Bytes":
        this.advance();
        return this.postfix(this.node({ kind: "bytes", value: token.value, at: token }));
    }
    if (this.is("Bracket", "[")) return this.postfix(this.array(token));
    if (this.is("Bracket", "{")) return this.postfix(this.map(token));
    return this.unexpected();
  }

  private number(token: Token): Node {
    const text = token.value.replaceAll("_", "");
    const fail = (reason: string) => this.fail(reason, token);
    if (!/^0x/i.test(text) && /[.e]/i.test(text)) {
      return this.node({ kind: "float", value: parseFloatLiteral(text, fail), at: token });
    }
    return this.node({ kind: "integer", value: parseIntegerLiteral(text, fail), at: token });
  }

  private array(token: Token): Node {
    this.advance();
    const nodes: Node[] = [];
    while (!this.is("Bracket", "]")) {
      if (nodes.length > 0) {
        this.expect("Operator", ",");
        if (this.is("Bracket", "]")) break;
      }
      nodes.push(this.expression(0));
    }
    this.advance();
    return this.node({ kind: "array", nodes, at: token });
  }

  private map(token: Token): Node {
    this.advance();
    const pairs: MapLiteral["pairs"][number][] = [];
    while (!this.is("Bracket", "}")) {
      if (pairs.length > 0) {
        this.expect("Operator", ",");
        if (this.is("Bracket", "}")) break;
      }
      const key = this.mapKey();
      this.expect("Operator", ":");
      pairs.push({ key, value: this.expression(0) });
      this.count();
    }
    this.advance();
    return this.node({ kind: "map", pairs, at: token });
  }

  private mapKey(): Node {
    const token = this.current;
    if (token.kind === "Number" || token.kind === "String" || token.kind === "Identifier") {
      this.advance();
      return this.node({ kind: "string", value: token.value, at: token });
    }
    if (this.is("Bracket", "(")) return this.expression(0);
    return this.fail(
      `a map key must be a quoted string, a number, a identifier, or an expression enclosed in parentheses (unexpected token ${show(token)})`,
    );
  }

  // Calls

  private call(name: Token, given: Node[], mayOverride: boolean): Node {
    const overridden = mayOverride && this.overridden(name.value);
    const predicates = overridden ? undefined : predicateBuiltins.get(name.value);
    if (predicates) {
      const args = this.predicateArguments(given, predicates);
      return this.node({ kind: "builtin", name: name.value, args, at: name });
    }
    if (!overridden && isBuiltin(name.value)) {
      return this.node({ kind: "builtin", name: name.value, args: this.arguments(given), at: name });
    }
    const callee = this.node({ kind: "identifier", name: name.value, at: name });
    return this.node({ kind: "call", callee, args: this.arguments(given), at: name });
  }

  private arguments(given: Node[]): Node[] {
    const args = [...given];
    this.expect("Bracket", "(");
    while (!this.is("Bracket", ")")) {
      if (args.length > given.length) {
        this.expect("Operator", ",");
        if (this.is("Bracket", ")")) break;
      }
      args.push(this.expression(0));
    }
    this.advance();
    return args;
  }

  private predicateArguments(given: Node[], kinds: readonly PredicateArgument[]): Node[] {
    const args = [...given];
    this.expect("Bracket", "(");
    const left = kinds.slice(given.length);
    left.forEach((kind, index) => {
      if (this.is("Bracket", ")")) {
        if (kind.endsWith("?")) return;
        this.fail(`expected at least ${left.filter((one) => !one.endsWith("?")).length} arguments`);
      }
      if (index > 0) this.expect("Operator", ",");
      // A comma may stand at the end.
      if (index > 0 && kind.endsWith("?") && this.is("Bracket", ")")) return;
      args.push(kind.startsWith("predicate") ? this.predicate() : this.expression(0));
    });
    if (this.is("Operator", ",")) this.advance();
    this.expect("Bracket", ")");
    return args;
  }

  private predicate(): Predicate {
    const at = this.current;
    const braced = this.is("Bracket", "{");
    if (braced) this.advance();
    this.predicateDepth++;
    const body = braced ? this.sequence() : this.expression(0);
    this.predicateDepth--;
    if (braced) this.expect("Bracket", "}");
    else if (this.is("Operator", ";")) this.fail("wrap predicate with brackets { and }");
    return this.node({ kind: "predicate", body, at });
  }

  // What follows an operand: fields, indexes, slices, calls

  private postfix(start: Node): Node {
    let node = start;
    for (;;) {
      if (this.is("Operator", ".") || this.is("Operator", "?.")) {
        const optional = this.current.value === "?.";
        this.advance();
        node = optional && this.is("Bracket", "[") ? this.subscript(node, true) : this.field(node, optional);
      } else if (this.is("Bracket", "[")) {
        node = this.subscript(node, false);
      } else {
        return node;
      }
    }
  }

  private field(target: Node, optional: boolean): Node {
    const name = this.current;
    this.advance();
    // Operators that are words, like "not" and "matches", are good names too.
    if (name.kind !== "Identifier" && !(name.kind === "Operator" && /^[a-z]/i.test(name.value))) {
      this.fail("expected name", name);
    }
    const property = this.node({ kind: "string", value: name.value, at: name });
    const chained = target.kind === "chain";
    const object = chained ? target.body : target;
    const method = this.is("Bracket", "(");
    const member: Member = this.node({ kind: "member", object, property, optional, method, at: name });
    const node = method
      ? this.node({ kind: "call", callee: member, args: this.arguments([]), at: name })
      : member;
    return chained || optional ? this.node({ kind: "chain", body: node, at: name }) : node;
  }

  private subscript(object: Node, optional: boolean): Node {
    const at = this.current;
    this.advance();
    if (this.is("Operator", ":")) return this.slice(object, undefined, at);
    const property = this.expression(0);
    if (this.is("Operator", ":")) return this.slice(object, property, at);
    const member = this.node({ kind: "member", object, property, optional, method: false, at });
    this.expect("Bracket", "]");
    return optional ? this.node({ kind: "chain", body: member, at }) : member;
  }

  private slice(object: Node, start: Node | undefined, at: Token): Node {
    this.advance();
    const end = this.is("Bracket", "]") ? undefined : this.expression(0);
    this.expect("Bracket", "]");
    return this.node({ kind: "slice", object, start, end, at });
  }

  // Nodes

  private node<T extends Node>(node: T): T {
    this.count();
    return node;
  }

  private count(): void {
    if (++this.nodes > maxNodes) this.fail("compilation failed: expression exceeds maximum allowed nodes");
  }

  private mixedCoalesce(operator: Token): never {
    return this.fail(
      `Operator (${operator.value}) and coalesce expressions (??) cannot be mixed. Wrap either by parentheses.`,
      operator,
    );
  }
}
