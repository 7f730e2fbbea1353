import type { Node } from "./ast.ts";

/** The parts that a node is made of, in the order in which they are evaluated. */
export function childrenOf(node: Node): readonly Node[] {
  switch (node.kind) {
    case "unary":
      return [node.operand];
    case "binary":
      return [node.left, node.right];
    case "chain":
    case "predicate":
      return [node.body];
    case "member":
      return [node.object, node.property];
    case "slice":
      return [node.object, node.end, node.start].filter((one) => one !== undefined);
    case "call":
      return [...node.args, node.callee];
    case "builtin":
      return node.mapped ? [...node.args, node.mapped] : node.args;
    case "let":
      return [node.value, node.body];
    case "sequence":
    case "array":
      return node.nodes;
    case "conditional":
      return [node.condition, node.whenTrue, node.whenFalse];
    case "map":
      return node.pairs.flatMap(({ key, value }) => [key, value]);
    default:
      return [];
  }
}

/** The same node with each of its parts replaced; the node itself when none is. */
export function mapChildren(node: Node, change: (child: Node) => Node): Node {
  let changed = false;
  const one = (child: Node): Node => {
    const next = change(child);
    changed ||= next !== child;
    return next;
  };
  const maybe = (child: Node | undefined) => child && one(child);
  const next = rebuild(node, one, maybe);
  return changed ? next : node;
}

function rebuild(
  node: Node,
  one: (child: Node) => Node,
  maybe: (child: Node | undefined) => Node | undefined,
): Node {
  switch (node.kind) {
    case "unary":
      return { ...node, operand: one(node.operand) };
    case "binary":
      return { ...node, left: one(node.left), right: one(node.right) };
    case "chain":
    case "predicate":
      return { ...node, body: one(node.body) };
    case "member":
      return { ...node, object: one(node.object), property: one(node.property) };
    case "slice":
      return { ...node, object: one(node.object), start: maybe(node.start), end: maybe(node.end) };
    case "call":
      return { ...node, callee: one(node.callee), args: node.args.map(one) };
    case "builtin":
      return { ...node, args: node.args.map(one), ...(node.mapped && { mapped: one(node.mapped) }) };
    case "let":
      return { ...node, value: one(node.value), body: one(node.body) };
    case "sequence":
    case "array":
      return { ...node, nodes: node.nodes.map(one) };
    case "conditional":
      return {
        ...node,
        condition: one(node.condition),
        whenTrue: one(node.whenTrue),
        whenFalse: one(node.whenFalse),
      };
    case "map":
      return { ...node, pairs: node.pairs.map(({ key, value }) => ({ key: one(key), value: one(value) })) };
    default:
      return node;
  }
}

/** Whether a test holds for the node or anything in it. */
export function some(node: Node, test: (node: Node) => boolean): boolean {
  return test(node) || childrenOf(node).some((child) => some(child, test));
}

/** How deep a tree is; `along` is how long its longest row of operators is, as in `a + b + c`. */
export function depthOf(root: Node): { nested: number; along: number } {
  const deepest = { nested: 0, along: 0 };
  const left: { node: Node; nested: number; along: number }[] = [{ node: root, nested: 1, along: 0 }];
  for (let one = left.pop(); one; one = left.pop()) {
    const { node, nested, along } = one;
    deepest.nested = Math.max(deepest.nested, nested);
    deepest.along = Math.max(deepest.along, along);
    for (const child of childrenOf(node)) {
      const continues = node.kind === "binary" && child === node.left && child.kind === "binary";
      left.push({ node: child, nested: continues ? nested : nested + 1, along: continues ? along + 1 : 0 });
    }
  }
  return deepest;
}
