import { Document, isMap, isScalar, isSeq, type Pair, parseDocument, type YAMLMap, YAMLSeq } from "yaml";
import { StepFailure } from "#core/failure.ts";

/** An entry of `images`; a field that is "" is left out of the file. */
export interface KustomizeImage {
  name: string;
  newName: string;
  tagSuffix: string;
  newTag: string;
  digest: string;
}

/** In the order in which Kustomize writes them. */
const fields = ["name", "newName", "tagSuffix", "newTag", "digest"] as const;

export function kustomizeImage(image: Partial<KustomizeImage>): KustomizeImage {
  return { name: "", newName: "", tagSuffix: "", newTag: "", digest: "", ...image };
}

/** Stands for what the file has. */
const kept = "*";

/**
 * Merges images into those of a kustomization's text. Nothing but the field `images` changes. Returns the
 * images by name, those that were there before included.
 */
export function setImages(
  text: string,
  wanted: readonly KustomizeImage[],
): { text: string; images: KustomizeImage[] } {
  const [mark = ""] = /^\ufeff?/.exec(text) ?? [];
  const source = text.slice(mark.length);
  const document = parseDocument(source, { uniqueKeys: false, logLevel: "silent" });
  const [error] = document.errors;
  if (error) throw new StepFailure("errored", `it is not valid YAML: ${error.message}`, { cause: error });
  const root = document.contents;
  if (!isMap(root)) throw new StepFailure("errored", "it is not a kustomization: a mapping is missing");
  const pair = root.items.find(({ key }) => isScalar(key) && key.value === "images");
  const items = itemsOf(pair);
  const images = merge(items.map(decode), wanted);
  const entry = writeImages(source, pair, items, images.map(withoutKept));
  return { text: mark + spliced(source, root, pair, entry), images };
}

function itemsOf(pair: Pair | undefined): YAMLMap[] {
  const value = pair?.value;
  if (value === undefined || value === null || (isScalar(value) && value.value === null)) return [];
  const items = isSeq(value) ? value.items : undefined;
  if (items?.every((item) => isMap(item))) return items;
  throw new StepFailure("errored", `its "images" is not a list of images`);
}

function decode(item: YAMLMap): KustomizeImage {
  const image = kustomizeImage({});
  for (const field of fields) {
    const value: unknown = item.get(field, true);
    if (value === undefined || (isScalar(value) && value.value === null)) continue;
    if (!isScalar(value)) throw new StepFailure("errored", `"${field}" of an image is not text`);
    image[field] = value.source ?? String(value.value);
  }
  return image;
}

/** By name; a name that stands there twice becomes one. */
function merge(current: readonly KustomizeImage[], wanted: readonly KustomizeImage[]): KustomizeImage[] {
  const byName = new Map(wanted.map((image) => [image.name, image]));
  for (const old of current) {
    const image = byName.get(old.name);
    byName.set(old.name, image === undefined ? old : keeping(image, old));
  }
  return [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

function keeping(image: KustomizeImage, old: KustomizeImage): KustomizeImage {
  return {
    ...image,
    newName: image.newName === kept ? old.newName : image.newName,
    newTag: image.newTag === kept ? old.newTag : image.newTag,
    digest: image.digest === kept ? old.digest : image.digest,
  };
}

/** The image as it is written when there was none to keep anything of. */
function withoutKept(image: KustomizeImage): KustomizeImage {
  return keeping(image, kustomizeImage({}));
}

/** The pair `images: …` as text, with the comments of the entries that stay. */
function writeImages(
  source: string,
  pair: Pair | undefined,
  items: readonly YAMLMap[],
  images: readonly KustomizeImage[],
): string {
  const old = isSeq(pair?.value) ? pair.value : undefined;
  const list = new YAMLSeq();
  list.flow = old?.flow ?? images.length === 0;
  // What stands behind a closing bracket is behind the text that is replaced.
  list.comment = list.flow ? null : (old?.comment ?? null);
  list.commentBefore = old?.commentBefore ?? null;
  // Readers of kustomizations take `yes` and `on` for booleans.
  const document = new Document({}, { version: "1.1" });
  for (const image of images) {
    const found = items.find((one) => decode(one).name === image.name);
    const item = found ?? (document.createNode({}) as YAMLMap);
    const isWhole = fields.every((field) => image[field] === "" || item.has(field));
    for (const field of fields) {
      const value = image[field];
      if (value !== "" && textAt(item, field) !== value) item.set(field, document.createNode(value));
    }
    item.items = item.items.filter((pair) => image[fieldOf(pair) ?? "name"] !== "" && fieldOf(pair));
    if (!isWhole) item.items.sort((a, b) => positionOf(a) - positionOf(b));
    list.add(item);
  }
  document.contents = document.createNode({}) as never;
  document.set("images", list);
  const text = document.toString({
    lineWidth: 0,
    indentSeq: indentsItems(source, pair),
    flowCollectionPadding: false,
    directives: false,
  });
  return text.trimEnd();
}

function fieldOf({ key }: Pair): (typeof fields)[number] | undefined {
  return fields.find((field) => field === String(key));
}

function positionOf(pair: Pair): number {
  return fields.indexOf(fieldOf(pair) ?? "name");
}

function textAt(item: YAMLMap, field: string): string | undefined {
  const value: unknown = item.get(field, true);
  return isScalar(value) ? (value.source ?? String(value.value)) : undefined;
}

/** Whether the entries of a list stand further in than its key. */
function indentsItems(source: string, pair: Pair | undefined): boolean {
  const from = isSeq(pair?.value) ? pair.value.range?.[0] : undefined;
  return from !== undefined && from > source.lastIndexOf("\n", from - 1) + 1;
}

function spliced(source: string, root: YAMLMap, pair: Pair | undefined, entry: string): string {
  const lineEnd = source.includes("\r\n") ? "\r\n" : "\n";
  const written = entry.replaceAll("\n", lineEnd);
  if (pair === undefined && root.flow === true) {
    throw new StepFailure("errored", `it is written in braces and has no "images" to set`);
  }
  if (pair === undefined) {
    const at = root.range?.[1] ?? source.length;
    const before = source.slice(0, at);
    const gap = before === "" || before.endsWith("\n") ? "" : lineEnd;
    return `${before}${gap}${written}${lineEnd}${source.slice(at)}`;
  }
  const from = isScalar(pair.key) ? (pair.key.range?.[0] ?? 0) : 0;
  const value = pair.value as { range?: [number, number, number] } | null;
  const old = source.slice(from, value?.range?.[1] ?? from + "images:".length).trimEnd();
  return source.slice(0, from) + written + source.slice(from + Math.max(old.length, "images:".length));
}
