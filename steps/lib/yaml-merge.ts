import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parse,
  parseAllDocuments,
  Scalar,
  visit,
  type YAMLMap,
  type Document as YamlDocument,
} from "yaml";
import { StepFailure } from "#core/failure.ts";

interface Source {
  /** For messages. */
  name: string;
  text: string;
}

/**
 * Lays YAML texts over one another, each over those before it: maps are merged, lists and single values
 * replaced, keys set to null taken away. Of several documents in a text the first one counts; empty texts
 * count for nothing. The result looks as kyaml writes it: comments of keys are those of the first text,
 * comments of values come with the value, blank lines go, and values keep the quotes of those they replace.
 */
export function mergeYaml(sources: readonly Source[]): string {
  const [base, ...overlays] = sources.flatMap((source) => read(source) ?? []);
  if (base === undefined) return "";
  for (const overlay of overlays) {
    const root = overlay.document.contents;
    if (root) base.document.contents = new Merge(overlay).lay(root, base.document.contents, "");
  }
  return write(base.document, overlays.length > 0);
}

interface ReadSource extends Source {
  document: YamlDocument<Node>;
}

function read({ name, text: withMark }: Source): ReadSource | undefined {
  const text = withMark.replace(/^\ufeff/, "");
  // All single values are read as they are written, so that 010 and 1.0 come out as they went in.
  const [document] = parseAllDocuments(text, { schema: "failsafe", uniqueKeys: false, logLevel: "silent" });
  const [error] = document?.errors ?? [];
  const why = error?.message ?? (hasNamelessKey(document?.contents) ? "a key has no name" : undefined);
  if (why !== undefined) {
    throw new StepFailure("errored", `Cannot merge file "${name}": it is not valid YAML: ${why}`, {
      cause: error,
    });
  }
  if (!document || document.contents === null || isEmptyText(document.contents)) return undefined;
  return { name, text, document: document as YamlDocument<Node> };
}

function isEmptyText(node: unknown): boolean {
  return isScalar(node) && node.source === "" && node.type === Scalar.PLAIN;
}

/** A colon with nothing before it, which is a mistake and not a key. */
function hasNamelessKey(node: unknown): boolean {
  return isMap(node) && node.items.some(({ key }) => isEmptyText(key));
}

/** One overlay's way into the base. */
class Merge {
  private readonly source: Source;

  constructor(source: Source) {
    this.source = source;
  }

  /** What stands at a path after the overlay; null for nothing. */
  lay(overlay: Node, base: Node | null, path: string): Node | null {
    if (isNull(overlay)) return null;
    if (base === null || isNull(base) || isAlias(base)) return withoutNulls(overlay);
    if (kindOf(base) !== kindOf(overlay)) {
      const where = path === "" ? "the whole file" : `"${path}"`;
      throw new StepFailure(
        "errored",
        `Cannot merge file "${this.source.name}": ${where} is ${kindOf(overlay)} there and ${kindOf(base)} before`,
      );
    }
    if (isMap(base) && isMap(overlay)) {
      if (base.items.length === 0) base.flow = overlay.flow;
      this.layMap(overlay, base, path);
      return base;
    }
    return inPlaceOf(base, overlay);
  }

  private layMap(overlay: YAMLMap, base: YAMLMap, path: string): void {
    const added: Pair[] = [];
    for (const pair of overlay.items) {
      const name = nameOf(pair);
      const old = base.items.find((item) => nameOf(item) === name);
      const value = this.lay(
        valueIn(pair),
        old ? valueIn(old) : null,
        path === "" ? name : `${path}.${name}`,
      );
      if (value === null) base.items = base.items.filter((item) => item !== old);
      else if (old) old.value = value;
      else added.push(this.newPair(pair, value));
    }
    // New keys come in the order of the alphabet.
    base.items.push(...added.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1)));
  }

  /** A pair of the overlay without what is said about its key. */
  private newPair(pair: Pair, value: Node): Pair {
    const keyEnd = isScalar(pair.key) ? (pair.key.range?.[1] ?? 0) : 0;
    const isOnKeysLine = /^[ \t]*:[ \t]*#/.test(this.source.text.slice(keyEnd, keyEnd + 200));
    if (isScalar(pair.key)) pair.key.commentBefore = undefined;
    if (isOnKeysLine) value.commentBefore = undefined;
    pair.value = value;
    return pair;
  }
}

/** A value or list that replaces another, in that one's style. */
function inPlaceOf(base: Node, overlay: Node): Node {
  if (isScalar(base) && isScalar(overlay)) overlay.type = styleFor(overlay, base.type);
  if (isSeq(base) && isSeq(overlay)) {
    if (base.items.length > 0) overlay.flow = base.flow;
    overlay.commentBefore = base.commentBefore;
  }
  return overlay;
}

/** The style that was there before, unless it would make something else of the value. */
function styleFor(overlay: Scalar, before: Scalar["type"]): Scalar["type"] {
  const text = String(overlay.value);
  const readPlain = plainValue(text);
  if (overlay.type === Scalar.PLAIN) return readPlain === text ? before : Scalar.PLAIN;
  if (before !== Scalar.PLAIN || text.includes("\n")) return before === Scalar.PLAIN ? overlay.type : before;
  if (readPlain === text) return Scalar.PLAIN;
  return readPlain !== null && typeof readPlain === "object" ? Scalar.QUOTE_SINGLE : Scalar.QUOTE_DOUBLE;
}

/** What a text means without quotes; an empty object for what needs them to be read at all. */
function plainValue(text: string): unknown {
  try {
    return parse(text, { logLevel: "silent" });
  } catch {
    return {};
  }
}

/** What is null in an overlay takes away, so nothing of it is left where there was nothing to take from. */
function withoutNulls(node: Node): Node {
  if (isMap(node)) {
    node.items = node.items.filter((pair) => !isNull(valueIn(pair)));
    for (const pair of node.items) withoutNulls(valueIn(pair));
  }
  return node;
}

function kindOf(node: Node): string {
  if (isMap(node)) return "a map";
  return isSeq(node) ? "a list" : "a single value";
}

const nulls = ["", "~", "null", "Null", "NULL"];

function isNull(node: Node): boolean {
  return isScalar(node) && node.type === Scalar.PLAIN && nulls.includes(node.source ?? "");
}

function valueIn(pair: Pair): Node {
  if (pair.value === null) pair.value = Object.assign(new Scalar(""), { source: "", type: Scalar.PLAIN });
  return pair.value as Node;
}

function nameOf({ key }: Pair): string {
  return isScalar(key) ? (key.source ?? String(key.value)) : String(key);
}

function write(document: YamlDocument<Node>, isMerged: boolean): string {
  if (document.contents === null) return "";
  visit(document, {
    Node(_key, node) {
      node.spaceBefore = false;
    },
    Pair(_key, pair) {
      // A key without a value goes. Text that older readers take for a boolean, such as yes, gets quotes.
      const { value } = pair;
      if (isMerged && isEmptyText(value)) return visit.REMOVE;
      if (isMerged && isScalar(value) && value.type === Scalar.PLAIN && isOldBoolean(value)) {
        value.type = Scalar.QUOTE_DOUBLE;
      }
    },
  });
  if (document.directives) document.directives.docStart = null;
  return document.toString({ indent: 2, indentSeq: false, lineWidth: 0, flowCollectionPadding: false });
}

/** A boolean by YAML 1.1 and text by 1.2. */
function isOldBoolean({ source = "" }: Scalar): boolean {
  return /^(y|n|yes|no|on|off)$/i.test(source);
}
