import fc from "fast-check";

/** A YAML text and the places of its single values. */
export interface GeneratedYaml {
  text: string;
  places: Place[];
}

export interface Place {
  path: (string | number)[];
  /** Lines that the value stands on, its key's included; the end is excluded. */
  from: number;
  to: number;
}

type Tree =
  | { kind: "map"; indent: number; flow: boolean; entries: [string, Tree][]; comment: string }
  | { kind: "list"; indent: number; items: Tree[]; comment: string }
  | { kind: "value"; style: string; text: string; anchor: boolean; comment: string };

const word = fc.string({ minLength: 1, maxLength: 6, unit: fc.constantFrom(..."abcxyzé") });
const comment = fc.oneof({ weight: 2, arbitrary: fc.constant("") }, word);

const { tree } = fc.letrec<{ tree: Tree; value: Tree; map: Tree; list: Tree }>((tie) => ({
  tree: fc.oneof({ depthSize: "small", withCrossShrink: true }, tie("value"), tie("map"), tie("list")),
  value: fc.record({
    kind: fc.constant("value" as const),
    style: fc.constantFrom("plain", "single", "double", "literal", "folded", "empty", "number", "tagged"),
    text: word,
    anchor: fc.boolean(),
    comment,
  }),
  map: fc.record({
    kind: fc.constant("map" as const),
    indent: fc.integer({ min: 1, max: 7 }),
    flow: fc.boolean(),
    entries: fc.uniqueArray(
      fc.tuple(
        fc.oneof(
          word,
          word.map((text) => `${text}.${text}`),
        ),
        tie("tree"),
      ),
      {
        minLength: 1,
        maxLength: 4,
        selector: ([key]) => key,
      },
    ),
    comment,
  }),
  list: fc.record({
    kind: fc.constant("list" as const),
    indent: fc.integer({ min: 0, max: 5 }),
    items: fc.array(tie("tree"), { minLength: 1, maxLength: 4 }),
    comment,
  }),
}));

/** Documents with comments, anchors, tags, blocks of text, flow style, odd indents, CRLF and byte order marks. */
export const yamlDocuments: fc.Arbitrary<GeneratedYaml> = fc
  .record({
    root: tree.filter(({ kind }) => kind !== "value"),
    lineEnd: fc.constantFrom("\n", "\r\n"),
    mark: fc.constantFrom("", "\ufeff"),
  })
  .map(({ root, lineEnd, mark }) => {
    const writer = new Writer();
    writer.tree(root, 0, [], true);
    return { text: mark + writer.lines.map((line) => line + lineEnd).join(""), places: writer.places };
  })
  .filter(({ places }) => places.length > 0);

class Writer {
  readonly lines: string[] = [];
  readonly places: Place[] = [];

  /** Writes a node behind what stands on the last line, or as the whole document. */
  tree(node: Tree, column: number, path: (string | number)[], isRoot = false): void {
    if (node.kind === "value") this.value(node, column, path);
    else if (node.kind === "map" && node.flow && isFlat(node)) this.flow(node, path, isRoot);
    else this.block(node, column, path, isRoot);
  }

  private block(
    node: Exclude<Tree, { kind: "value" }>,
    column: number,
    path: (string | number)[],
    isRoot: boolean,
  ): void {
    const indent = isRoot ? 0 : column + node.indent;
    if (node.comment !== "") this.lines.push(`${" ".repeat(indent)}# ${node.comment}`);
    if (node.kind === "map") {
      for (const [key, child] of node.entries) {
        this.lines.push(`${" ".repeat(indent)}${key}:`);
        this.tree(child, indent, [...path, key]);
      }
    } else {
      for (const [index, child] of node.items.entries()) {
        this.lines.push(`${" ".repeat(indent)}-`);
        this.tree(child, indent + 1, [...path, index]);
      }
    }
  }

  private value(
    { style, text, anchor, comment: said }: Tree & { kind: "value" },
    column: number,
    path: (string | number)[],
  ): void {
    const from = this.lines.length - 1;
    const mark = anchor ? ` &${text.replaceAll("é", "e")}` : "";
    const remark = said === "" ? "" : ` # ${said}`;
    const body = " ".repeat(column + 2);
    const written: Record<string, string[]> = {
      plain: [`${mark} ${text}${remark}`],
      single: [`${mark} 'it''s ${text}'${remark}`],
      double: [`${mark} "${text}\\n# no comment"${remark}`],
      literal: [`${mark} |${remark}`, `${body}${text}`, `${body}  # text`, ""],
      folded: [`${mark} >-${remark}`, `${body}${text}`, `${body}more`],
      empty: [`${mark}${remark}`],
      number: [`${mark} 010${remark}`],
      tagged: [`${mark} !!str 12${remark}`],
    };
    const [first = "", ...more] = written[style] ?? [];
    this.lines[from] += first;
    this.lines.push(...more);
    this.places.push({ path, from, to: this.lines.length });
  }

  private flow(node: Tree & { kind: "map" }, path: (string | number)[], isRoot: boolean): void {
    const from = isRoot ? this.lines.length : this.lines.length - 1;
    const inner = node.entries.map(([key, child]) => `"${key}": ${child.kind === "value" ? child.text : ""}`);
    const written = `{${inner.join(", ")}}`;
    if (isRoot) this.lines.push(written);
    else this.lines[from] += ` ${written}`;
    for (const [key] of node.entries) this.places.push({ path: [...path, key], from, to: from + 1 });
  }
}

function isFlat(node: Tree & { kind: "map" }): boolean {
  return node.entries.every(([, { kind }]) => kind === "value");
}
