import { type Document, isMap, isScalar, type Node, type Pair, parseAllDocuments, type YAMLMap } from "yaml";
import { StepFailure } from "#core/failure.ts";

interface Source {
  /** For messages. */
  name: string;
  text: string;
}

/**
 * Lays YAML texts over one another, each over those before it: maps are merged, lists and single values
 * replaced, keys set to null taken away. Comments of the first text stay unless a later one has its own.
 * Of several documents in a text the first one counts; empty texts count for nothing.
 */
export function mergeYaml(sources: readonly Source[]): string {
  const [base, ...overlays] = sources.map(read).filter((document) => document?.contents != null);
  if (base === undefined) return "";
  for (const overlay of overlays) {
    if (overlay?.contents) base.contents = merged(base.contents, overlay.contents);
  }
  return base.contents === null
    ? ""
    : base.toString({ indent: 2, indentSeq: false, lineWidth: 0, flowCollectionPadding: false });
}

function read({ name, text }: Source): Document<Node> | undefined {
  const [document] = parseAllDocuments(text, { uniqueKeys: false, logLevel: "silent" });
  const [error] = document?.errors ?? [];
  const why = error?.message ?? (hasNamelessKey(document?.contents) ? "a key has no name" : undefined);
  if (why !== undefined) {
    throw new StepFailure("errored", `Cannot merge file "${name}": it is not valid YAML: ${why}`, {
      cause: error,
    });
  }
  return document as Document<Node> | undefined;
}

/** A colon with nothing before it, which is a mistake and not a key. */
function hasNamelessKey(node: unknown): boolean {
  return (
    isMap(node) && node.items.some(({ key }) => isScalar(key) && key.value === null && key.source === "")
  );
}

function merged(base: Node | null, overlay: Node): Node | null {
  if (isScalar(overlay) && overlay.value === null) return null;
  if (!isMap(base) || !isMap(overlay)) {
    if (base) keepComments(base, overlay);
    return overlay;
  }
  keepComments(base, overlay);
  mergeInto(base, overlay);
  return base;
}

function mergeInto(base: YAMLMap, overlay: YAMLMap): void {
  const added: Pair[] = [];
  for (const pair of overlay.items) {
    const name = nameOf(pair);
    const old = base.items.find((item) => nameOf(item) === name);
    const value = old
      ? merged(old.value as Node | null, pair.value as Node)
      : merged(null, withoutNulls(pair.value as Node));
    if (value === null) base.items = base.items.filter((item) => item !== old);
    else if (old) old.value = value;
    else added.push(pair);
  }
  // New keys come in the order of the alphabet, as Kargo writes them.
  base.items.push(...added.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1)));
}

/** What is null in an overlay takes away, so nothing of it is left where there was nothing to take from. */
function withoutNulls(node: Node): Node {
  if (isMap(node)) {
    node.items = node.items.filter(
      ({ value }) => !(isScalar(value) && value.value === null) && value !== null,
    );
    for (const { value } of node.items) withoutNulls(value as Node);
  }
  return node;
}

function nameOf({ key }: Pair): string {
  return isScalar(key) ? (key.source ?? String(key.value)) : String(key);
}

/** The overlay's comments win; where it has none, the base's stay. Gives both nodes the same ones. */
function keepComments(base: Node, overlay: Node): void {
  for (const place of ["comment", "commentBefore"] as const) {
    const text = overlay[place] ?? base[place];
    overlay[place] = text;
    base[place] = text;
  }
}
