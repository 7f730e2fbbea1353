import {
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  type YAMLMap,
} from "yaml";
import type { Path } from "#core/resources/path.ts";
import { type AliasTargets, isMergeKey } from "#core/resources/yaml-json.ts";

/** Where in the text a value begins, or the key that it stands under; the nearest place that there is. */
export function offsetOf(
  document: Document.Parsed,
  targets: AliasTargets,
  path: Path,
  what: "key" | "value",
): number {
  let node: unknown = document.contents;
  let offset = startOf(node) ?? 0;
  for (const [index, key] of path.entries()) {
    const target = follow(node, targets);
    if (isMap(target)) {
      const pair = findPair(target, String(key), targets);
      if (!pair) return offset;
      const last = index === path.length - 1;
      const atKey = startOf(pair.key);
      const atValue = isEmpty(pair.value) ? undefined : startOf(pair.value);
      offset = (last && what === "key" ? atKey : (atValue ?? atKey)) ?? offset;
      node = pair.value;
    } else if (isSeq(target) && typeof key === "number" && key < target.items.length) {
      node = target.items[key];
      offset = startOf(node) ?? offset;
    } else {
      return offset;
    }
  }
  return offset;
}

/** The pair of a key; the last one when it is repeated, or one that was merged into the map. */
function findPair(map: YAMLMap, key: string, targets: AliasTargets): Pair | undefined {
  const own = map.items.findLast((pair) => isScalar(pair.key) && String(pair.key.value) === key);
  if (own) return own;
  for (const pair of map.items.filter((pair) => isMergeKey(pair.key))) {
    const source = follow(pair.value, targets);
    for (const item of isSeq(source) ? source.items : [source]) {
      const target = follow(item, targets);
      const found = isMap(target) ? findPair(target, key, targets) : undefined;
      if (found) return found;
    }
  }
  return undefined;
}

function follow(node: unknown, targets: AliasTargets): unknown {
  return isAlias(node) ? targets.get(node) : node;
}

function startOf(node: unknown): number | undefined {
  if (isPair(node)) return startOf(node.key);
  const range = (node as Node | null | undefined)?.range;
  return range ? range[0] : undefined;
}

/** `key:` with nothing after it; its value stands nowhere. */
function isEmpty(node: unknown): boolean {
  return node === null || (isScalar(node) && node.value === null && node.source === "");
}
