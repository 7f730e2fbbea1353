import {
  type Alias,
  type Document,
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type YAMLMap,
} from "yaml";

/** How much may come of aliases; beyond it they are taken for an attack. */
const maxNodesFromAliases = 20_000;
const maxDepth = 200;
const keyTwice = "the key is given twice, the last one counts";

/** Hears what is wrong with a document, and at which of its nodes. */
export type Report = (severity: "error" | "warning", node: Node | null | undefined, message: string) => void;

class Unreadable extends Error {
  readonly node: Node | null;
  constructor(node: Node | null, message: string) {
    super(message);
    this.node = node;
  }
}

/** What aliases stand for. The library's own look-up walks the document for each of them. */
export type AliasTargets = ReadonlyMap<Alias, Node>;

/** The document as JSON: aliases and merges resolved, keys as text. */
export function toJson(document: Document.Parsed, report: Report): { value: unknown; targets: AliasTargets } {
  const anchors = new Map<string, Node>();
  const targets = new Map<Alias, Node>();
  let fromAliases = 0;

  /** An anchor may be given again further down; an alias means the last one before it. */
  function targetOf(alias: Alias): Node {
    const target = targets.get(alias) ?? anchors.get(alias.source);
    if (!target) {
      throw new Unreadable(alias, `the alias *${alias.source} has no anchor &${alias.source} before it`);
    }
    targets.set(alias, target);
    return target;
  }

  function convert(node: unknown, depth: number, aliased: boolean): unknown {
    if (aliased && ++fromAliases > maxNodesFromAliases) {
      throw new Unreadable(node as Node, `the aliases stand for more than ${maxNodesFromAliases} values`);
    }
    if (depth > maxDepth) throw new Unreadable(node as Node, `nested deeper than ${maxDepth} levels`);
    if (isAlias(node)) return convert(targetOf(node), depth + 1, true);
    if (!aliased) noteAnchor(node);
    if (isMap(node)) return convertMap(node, depth, aliased);
    if (isSeq(node)) return node.items.map((item) => convert(item, depth + 1, aliased));
    return isScalar(node) ? node.value : null;
  }

  function noteAnchor(node: unknown): void {
    const { anchor } = Object(node) as { anchor?: string };
    if (anchor !== undefined) anchors.set(anchor, node as Node);
  }

  function convertMap(map: YAMLMap, depth: number, aliased: boolean): Record<string, unknown> {
    const own = new Map<string, unknown>();
    const merged: [string, unknown][] = [];
    for (const { key, value } of map.items) {
      if (isMergeKey(key)) merged.unshift(...mergeSources(value, depth, aliased));
      else {
        if (!aliased) noteAnchor(key);
        const name = keyText(key as Node | null);
        if (own.has(name) && !aliased) report("warning", key as Node, keyTwice);
        own.set(name, convert(value, depth + 1, aliased));
      }
    }
    // fromEntries defines properties, so that a key "__proto__" is a key like any other.
    return Object.fromEntries([...merged, ...own]);
  }

  /** Entries of what `<<` names; of several maps the first wins. */
  function mergeSources(value: unknown, depth: number, aliased: boolean): [string, unknown][] {
    const source = isAlias(value) ? targetOf(value) : value;
    if (isSeq(source)) {
      return source.items.toReversed().flatMap((item) => mergeSources(item, depth + 1, aliased));
    }
    if (!isMap(source)) throw new Unreadable(value as Node, "<< needs a mapping, or a list of mappings");
    return Object.entries(convert(source, depth + 1, aliased || isAlias(value)) as Record<string, unknown>);
  }

  try {
    return { value: convert(document.contents, 0, false) ?? undefined, targets };
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    report("error", error.node, error.message);
    return { value: undefined, targets };
  }
}

/** `<<` as it is; in quotes it is a key like any other. */
export function isMergeKey(key: unknown): boolean {
  return isScalar(key) && key.value === "<<" && (key.type === "PLAIN" || key.type === undefined);
}

function keyText(key: Node | null): string {
  if (!isScalar(key) || key.value === null) {
    throw new Unreadable(key, `a key must be text${isCollection(key) ? ", not a mapping or a list" : ""}`);
  }
  return String(key.value);
}
