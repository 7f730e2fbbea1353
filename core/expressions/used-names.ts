import type { Node } from "./ast.ts";
import { isPlainMap } from "./runtime/values.ts";
import { childrenOf } from "./tree.ts";

/** What an expression can reach of its environment: by name, and below it by name; `true` for all of it. */
export type UsedNames = true | Map<string, UsedNames>;

/** Adds what an expression uses. Names of its own variables may be among them, which does no harm. */
export function addUsedNames(node: Node, used: UsedNames): UsedNames {
  const path = pathOf(node);
  if (path) return addPath(used, path);
  return childrenOf(node).reduce((all, child) => addUsedNames(child, all), used);
}

/** The names of `a.b.c`; undefined for what is no such chain. */
function pathOf(node: Node): readonly string[] | undefined {
  if (node.kind === "identifier") return node.name === "$env" ? [] : [node.name];
  if (node.kind !== "member" || node.property.kind !== "string") return undefined;
  const path = pathOf(node.object);
  return path && [...path, node.property.value];
}

function addPath(used: UsedNames, [name, ...rest]: readonly string[]): UsedNames {
  if (used === true || name === undefined) return true;
  used.set(name, addPath(used.get(name) ?? new Map(), rest));
  return used;
}

/** The part of an environment that is used; what is no map is kept whole. */
export function project(value: unknown, used: UsedNames): unknown {
  if (used === true || !isPlainMap(value)) return value;
  const part: Record<string, unknown> = Object.create(null);
  for (const [name, below] of used) {
    if (Object.hasOwn(value, name)) part[name] = project(value[name], below);
  }
  return part;
}
