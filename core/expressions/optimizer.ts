import type { Binary, Builtin, Node } from "./ast.ts";
import { ExpressionError } from "./error.ts";
import { rangeMembership, rangeSum } from "./literal-ranges.ts";
import type { Nature } from "./natures.ts";
import { mapChildren, some } from "./tree.ts";

/**
 * What the language rewrites before it runs an expression. This is not about speed: whoever counts on
 * `count(…) > 0` to stop at the first hit, or on `x in ["a", "b"]` to refuse a number, sees the difference.
 */
export function optimize(root: Node, expression: string, natures: ReadonlyMap<Node, Nature>): Node {
  const isInt = (node: Node) => natures.get(node)?.kind === "int";
  const rewrites: ((node: Node) => Node)[] = [
    (node) => literalSet(node, isInt),
    // What one pass folds, such as filters that meet, the next may fold further.
    ...Array(3).fill((node: Node) => fold(node, expression)),
    (node) => rangeMembership(node, isInt),
    filteredMap,
    filteredLength,
    filteredEnd,
    rangeSum,
    arraySum,
    mappedSum,
    countedAny,
    countThreshold,
  ];
  return rewrites.reduce((node, rewrite) => bottomUp(node, rewrite), root);
}

function bottomUp(node: Node, rewrite: (node: Node) => Node): Node {
  return rewrite(mapChildren(node, (child) => bottomUp(child, rewrite)));
}

/** `x in [1, 2]` and `x in ["a", "b"]` look into a set, which takes values of that type only. */
function literalSet(node: Node, isInt: (node: Node) => boolean): Node {
  if (node.kind !== "binary" || node.operator !== "in" || node.right.kind !== "array") return node;
  const { nodes, at } = node.right;
  if (nodes.length === 0) return node;
  if (isInt(node.left) && nodes.every((one) => one.kind === "integer")) {
    return { ...node, right: { kind: "constants", of: "int", values: nodes.map((one) => one.value), at } };
  }
  if (nodes.every((one) => one.kind === "string")) {
    return { ...node, right: { kind: "constants", of: "string", values: nodes.map((one) => one.value), at } };
  }
  return node;
}

// Literals

function fold(node: Node, expression: string): Node {
  if (node.kind === "unary") return foldUnary(node.operator, node.operand, node);
  if (node.kind === "binary") return foldLogic(node) ?? foldLiterals(node, expression) ?? node;
  if (node.kind === "builtin" && node.name === "filter") return foldFilters(node);
  return node;
}

function foldUnary(operator: string, operand: Node, node: Node): Node {
  const { at } = node;
  if (operand.kind === "integer" && operator === "-") return { ...operand, value: wrap(-operand.value), at };
  if (operand.kind === "float" && operator === "-") return { ...operand, value: -operand.value, at };
  if ((operand.kind === "integer" || operand.kind === "float") && operator === "+") return { ...operand, at };
  if (operand.kind === "bool" && (operator === "!" || operator === "not")) {
    return { ...operand, value: !operand.value, at };
  }
  return node;
}

/** A side that decides alone makes the other one vanish, whatever it would have done. */
function foldLogic(node: Binary): Node | undefined {
  const and = node.operator === "and" || node.operator === "&&";
  if (!and && node.operator !== "or" && node.operator !== "||") return undefined;
  const { left, right, at } = node;
  if (left.kind === "bool" && left.value === and) return right;
  if (right.kind === "bool" && right.value === and) return left;
  if (left.kind === "bool" || right.kind === "bool") return { kind: "bool", value: !and, at };
  return undefined;
}

function foldLiterals(node: Binary, expression: string): Node | undefined {
  const { left, right, operator, at } = node;
  if (left.kind === "integer" && right.kind === "integer") {
    if (operator === "%" && right.value === 0n) {
      throw new ExpressionError("integer divide by zero", expression, at);
    }
    const value = integerOperation(operator, left.value, right.value);
    if (value !== undefined) return { kind: "integer", value: wrap(value), at };
  }
  if (isLiteralNumber(left) && isLiteralNumber(right)) {
    const value = floatOperation(operator, Number(left.value), Number(right.value));
    if (value !== undefined) return { kind: "float", value, at };
  }
  if (left.kind === "string" && right.kind === "string" && operator === "+") {
    return { kind: "string", value: left.value + right.value, at };
  }
  return operator === "==" ? foldEquality(left, right, node) : undefined;
}

function foldEquality(left: Node, right: Node, { at }: Node): Node | undefined {
  for (const kind of ["integer", "string", "bool"] as const) {
    if (left.kind === kind && right.kind === kind)
      return { kind: "bool", value: left.value === right.value, at };
  }
  return undefined;
}

function isLiteralNumber(node: Node) {
  return node.kind === "integer" || node.kind === "float";
}

function integerOperation(operator: string, a: bigint, b: bigint): bigint | undefined {
  switch (operator) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "%":
      return a % b;
  }
  return undefined;
}

function floatOperation(operator: string, a: number, b: number): number | undefined {
  switch (operator) {
    case "+":
      return a + b;
    case "-":
      return a - b;
    case "*":
      return a * b;
    case "/":
      return a / b;
    case "**":
    case "^":
      return a === 1 || (a === -1 && !Number.isFinite(b) && !Number.isNaN(b)) ? 1 : a ** b;
  }
  return undefined;
}

function wrap(value: bigint): bigint {
  return BigInt.asIntN(64, value);
}

/** `filter(filter(a, p), q)` runs through the array once. */
function foldFilters(node: Builtin): Node {
  const [inner, outer] = node.args;
  if (inner?.kind !== "builtin" || inner.name !== "filter" || outer?.kind !== "predicate") return node;
  const [source, first] = inner.args;
  if (!source || first?.kind !== "predicate") return node;
  const body: Binary = { kind: "binary", operator: "&&", left: first.body, right: outer.body, at: node.at };
  return { ...node, args: [source, { kind: "predicate", body, at: outer.at }] };
}

// Built-ins that meet

function isFilter(node: Node | undefined): node is Builtin {
  return node?.kind === "builtin" && node.name === "filter" && node.args.length === 2;
}

/** `map(filter(a, p), f)` maps what passes as it passes. */
function filteredMap(node: Node): Node {
  if (node.kind !== "builtin" || node.name !== "map") return node;
  const [inner, predicate] = node.args;
  if (!isFilter(inner) || inner.mapped || predicate?.kind !== "predicate") return node;
  if (some(predicate, (one) => one.kind === "pointer" && one.name === "index")) return node;
  return { ...inner, mapped: predicate.body, at: node.at };
}

/** `len(filter(a, p))` only counts. */
function filteredLength(node: Node): Node {
  if (node.kind !== "builtin" || node.name !== "len" || node.args.length !== 1) return node;
  const [inner] = node.args;
  return isFilter(inner) ? { kind: "builtin", name: "count", args: inner.args, at: node.at } : node;
}

/** The first or last of what a filter lets through is found without filtering the rest. */
function filteredEnd(node: Node): Node {
  if (node.kind === "member" && !node.optional && node.property.kind === "integer" && isFilter(node.object)) {
    const name = node.property.value === 0n ? "find" : node.property.value === -1n ? "findLast" : undefined;
    return name === undefined ? node : { ...node.object, name, throws: true, at: node.at };
  }
  if (node.kind === "builtin" && node.args.length === 1 && isFilter(node.args[0])) {
    const name = node.name === "first" ? "find" : node.name === "last" ? "findLast" : undefined;
    return name === undefined ? node : { ...node.args[0], name, throws: false, at: node.at };
  }
  return node;
}

/** `sum([a, b, c])` adds the three, and nothing else: strings come together that way too. */
function arraySum(node: Node): Node {
  if (node.kind !== "builtin" || node.name !== "sum" || node.args.length !== 1) return node;
  const [array] = node.args;
  if (array?.kind !== "array" || array.nodes.length < 2) return node;
  if (array.nodes.every((one) => ["integer", "float", "string", "bool"].includes(one.kind))) return node;
  return array.nodes.reduceRight((right, left) => ({
    kind: "binary",
    operator: "+",
    left,
    right,
    at: node.at,
  }));
}

/** `sum(map(a, f))` adds while it maps. */
function mappedSum(node: Node): Node {
  if (node.kind !== "builtin" || node.name !== "sum" || node.args.length !== 1) return node;
  const [inner] = node.args;
  return inner?.kind === "builtin" && inner.name === "map" ? { ...node, args: inner.args } : node;
}

function literalCount(node: Node) {
  if (node.kind !== "binary" || node.left.kind !== "builtin" || node.right.kind !== "integer")
    return undefined;
  if (node.left.name !== "count" || node.left.args.length !== 2) return undefined;
  return { operator: node.operator, count: node.left, limit: node.right.value };
}

/** `count(a, p) > 0` asks whether there is any. */
function countedAny(node: Node): Node {
  const counted = literalCount(node);
  if (!counted) return node;
  const { operator, count, limit } = counted;
  const any = (operator === ">" && limit === 0n) || (operator === ">=" && limit === 1n);
  return any ? { kind: "builtin", name: "any", args: count.args, at: node.at } : node;
}

/** Counting stops once the comparison is decided. */
function countThreshold(node: Node): Node {
  const counted = literalCount(node);
  if (!counted || counted.limit < 0n || node.kind !== "binary") return node;
  const { operator, count, limit } = counted;
  const beyond = operator === ">" || operator === "<=";
  if (!beyond && operator !== "<" && operator !== ">=") return node;
  const threshold = beyond ? limit + 1n : limit;
  return threshold <= 1n ? node : { ...node, left: { ...count, threshold } };
}
