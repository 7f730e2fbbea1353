import type { Builtin, Node } from "./ast.ts";

/** `x in 1..9` compares with the two ends, so that the range need not be made. */
export function rangeMembership(node: Node, isInt: (node: Node) => boolean): Node {
  if (node.kind !== "binary" || node.operator !== "in" || !isInt(node.left)) return node;
  const range = literalRange(node.right);
  if (!range) return node;
  const { left, at } = node;
  return {
    kind: "binary",
    operator: "and",
    left: { kind: "binary", operator: ">=", left, right: range.start, at },
    right: { kind: "binary", operator: "<=", left, right: range.end, at },
    at,
  };
}

function literalRange(node: Node | undefined) {
  if (node?.kind !== "binary" || node.operator !== "..") return undefined;
  const { left: start, right: end } = node;
  return start.kind === "integer" && end.kind === "integer" ? { start, end } : undefined;
}

/** The sum of a literal range is computed and not counted up. */
export function rangeSum(node: Node): Node {
  if (node.kind !== "builtin") return node;
  const range = literalRange(node.args[0]);
  if (!range || range.end.value < range.start.value) return node;
  const [start, end] = [range.start.value, range.end.value];
  const size = wrap(end - start + 1n);
  const total = wrap(size * wrap(start + end)) / 2n;
  const value =
    node.name === "sum"
      ? sumOf(node, total, size)
      : node.name === "reduce"
        ? reductionOf(node, total)
        : undefined;
  return value === undefined ? node : { kind: "integer", value: wrap(value), at: node.at };
}

function sumOf(node: Builtin, total: bigint, size: bigint): bigint | undefined {
  const predicate = node.args[1];
  if (!predicate) return total;
  const body = predicate.kind === "predicate" ? predicate.body : predicate;
  if (isElement(body)) return total;
  if (body.kind !== "binary") return undefined;
  const { left, right, operator } = body;
  const constant = isElement(left) ? right : isElement(right) ? left : undefined;
  if (constant?.kind !== "integer") return undefined;
  switch (operator) {
    case "*":
      return constant.value * total;
    case "+":
      return total + size * constant.value;
    case "-":
      return isElement(left) ? total - size * constant.value : size * constant.value - total;
  }
  return undefined;
}

function reductionOf(node: Builtin, total: bigint): bigint | undefined {
  const [, predicate, initial] = node.args;
  const body = predicate?.kind === "predicate" ? predicate.body : undefined;
  if (body?.kind !== "binary" || body.operator !== "+") return undefined;
  const { left, right } = body;
  const adds = (isElement(left) && isAccumulated(right)) || (isAccumulated(left) && isElement(right));
  if (!adds) return undefined;
  if (!initial) return total;
  return initial.kind === "integer" ? initial.value + total : undefined;
}

const isElement = (node: Node) => node.kind === "pointer" && node.name === "";
const isAccumulated = (node: Node) => node.kind === "pointer" && node.name === "acc";

function wrap(value: bigint): bigint {
  return BigInt.asIntN(64, value);
}
