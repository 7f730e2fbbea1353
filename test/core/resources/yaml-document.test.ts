import { describe, expect, it } from "vitest";
import { readYaml } from "#core/resources/yaml-document.ts";

const meaningOf = (text: string) => readYaml(text)[0]?.value;
const messages = (text: string) =>
  readYaml(text).flatMap(({ problems }) => problems.map(({ message }) => message));

describe("a plain value in YAML means what it means to Kubernetes", () => {
  it.each([
    ["yes", true],
    ["Y", true],
    ["on", true],
    ["No", false],
    ["n", false],
    ["OFF", false],
    ["nO", "nO"],
    ["~", null],
    ["", null],
    ["Null", null],
    ["017", 15],
    ["0o17", 15],
    ["08", 8],
    ["1_000", 1000],
    ["0x1F", 31],
    ["-0b11", -3],
    ["+5", 5],
    ["0x", "0x"],
    [".5", 0.5],
    ["1.50", 1.5],
    ["1e3", 1000],
    ["1e1000", "1e1000"],
    ["123e4567", "123e4567"],
    ["12:30", "12:30"],
    ["2026-01-02", "2026-01-02"],
    ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"],
    ["v1.2.3", "v1.2.3"],
    ["'yes'", "yes"],
    ['"017"', "017"],
    ["!!str 5", "5"],
    ["!!binary aGVsbG8=", "hello"],
    ["!custom text", "text"],
    ["${{ ctx.stage }}", "${{ ctx.stage }}"],
  ])("%s", (written, meant) => {
    expect(meaningOf(`key: ${written}`)).toEqual({ key: meant });
  });

  it("keys are text, whatever they look like", () => {
    expect(meaningOf("on: 1\n5: 2\n1.5: 3\n__proto__: 4")).toEqual(
      Object.fromEntries([
        ["true", 1],
        ["5", 2],
        ["1.5", 3],
        ["__proto__", 4],
      ]),
    );
  });

  it("JSON is read as YAML, tabs and all", () => {
    expect(meaningOf('{"a":\t[1,\n\t{"b": "\\u00e9"}]}')).toEqual({ a: [1, { b: "é" }] });
  });
});

describe("documents of a stream", () => {
  it.each([
    {
      title: "separated by lines of dashes",
      text: "a: 1\n---\nb: 2\n--- # more\nc: 3",
      values: [{ a: 1 }, { b: 2 }, { c: 3 }],
    },
    { title: "with empty ones between", text: "---\n---\n# nothing\n---\na: 1\n---\n", values: [{ a: 1 }] },
    { title: "after a directive", text: "%YAML 1.1\n---\na: 1\n...\n", values: [{ a: 1 }] },
    { title: "with Windows line ends", text: "a: 1\r\n---\r\nb: 2\r\n", values: [{ a: 1 }, { b: 2 }] },
    { title: "in an empty text", text: "", values: [] },
    { title: "whose text holds dashes", text: "a: |\n  x\n  ---\n  y\n", values: [{ a: "x\n---\ny\n" }] },
  ])("are told apart: $title", ({ text, values }) => {
    expect(readYaml(text).map(({ value }) => value)).toEqual(values);
  });

  it("that are broken do not hide the others", () => {
    const documents = readYaml('a: 1\n---\nb: [\n---\nc: "never closed\n---\nd: 4\n');
    expect(documents.map(({ value }) => value)).toEqual([{ a: 1 }, undefined, undefined, { d: 4 }]);
    expect(documents.map(({ problems }) => problems.map(({ severity, at }) => [severity, at.line]))).toEqual([
      [],
      [["error", 4]],
      [["error", 6]],
      [],
    ]);
  });
});

describe("anchors and merges", () => {
  it.each([
    ["an alias", "a: &x [1]\nb: *x", { a: [1], b: [1] }],
    [
      "a merge, where own keys win",
      "a: &x {p: 1, q: 2}\nb:\n  <<: *x\n  q: 3",
      { a: { p: 1, q: 2 }, b: { p: 1, q: 3 } },
    ],
    [
      "a merge of several, where the first wins",
      "a: &x {p: 1}\nb: &y {p: 2, q: 2}\nc:\n  <<: [*x, *y]",
      { a: { p: 1 }, b: { p: 2, q: 2 }, c: { p: 1, q: 2 } },
    ],
    [
      "an anchor given again further down",
      "a: &x 1\nb: *x\nc: &x 2\nd: *x\ne: *x",
      { a: 1, b: 1, c: 2, d: 2, e: 2 },
    ],
    ["an anchor on a key", "&k a: 1\nb: *k", { a: 1, b: "a" }],
    ["a quoted << is a key", 'a: {"<<": 1}', { a: { "<<": 1 } }],
  ])("%s", (_, text, value) => {
    expect(meaningOf(text)).toEqual(value);
  });

  it.each([
    ["an alias without an anchor", "a: *nowhere", /alias \*nowhere has no anchor/],
    ["an anchor that holds itself", "a: &x\n  b: *x", /deeper than|more than/],
    ["a merge of a number", "a:\n  <<: 5", /<< needs a mapping/],
  ])("%s is refused", (_, text, message) => {
    expect(messages(text)).toEqual([expect.stringMatching(message)]);
    expect(meaningOf(text)).toBeUndefined();
  });

  it("that multiply into millions of values are refused", () => {
    const levels = Array.from({ length: 9 }, (_, level) => {
      const items = level === 0 ? "x" : `*l${level - 1}`;
      return `l${level}: &l${level} [${Array(9).fill(items).join(", ")}]`;
    });
    expect(messages(levels.join("\n"))).toEqual([expect.stringContaining("the aliases stand for more than")]);
  });
});

describe("a big text", () => {
  it.each([
    [
      "of aliases",
      `a: &x [${"1, ".repeat(500)}1]\n${Array.from({ length: 5000 }, (_, i) => `k${i}: *x`).join("\n")}`,
    ],
    ["of keys", Array.from({ length: 20_000 }, (_, i) => `k${i}: 1`).join("\n")],
    ["of empty lines", `${"\n".repeat(200_000)}a: 1`],
  ])("%s is read once through, not over and over", (_, text) => {
    expect(readYaml(text)).toHaveLength(1);
  });
});

describe("what cannot be read is said with its place", () => {
  it.each([
    ["a tab as indentation", "a:\n\t- b", { line: 2, column: 1 }, /tabs are not allowed/i],
    ["a reserved character", "a: @x", { line: 1, column: 4 }, /put the text in quotes/],
    ["a colon in plain text", "a: 1\nb: see: there", { line: 2, column: 4 }, /put the text in quotes/],
    ["a number without an end", "a: .inf", { line: 1, column: 4 }, /cannot be written as JSON/],
    ["a key that is a list", "? [1, 2]\n: x", { line: 1, column: 3 }, /a key must be text/],
    ["no key at all", "null: x", { line: 1, column: 1 }, /a key must be text/],
  ])("%s", (_, text, at, message) => {
    const [problem] = readYaml(text)[0]?.problems ?? [];
    expect(problem).toMatchObject({ severity: "error", at, message: expect.stringMatching(message) });
  });

  it("nesting without an end is refused, and not followed", () => {
    expect(messages("[".repeat(50_000)).slice(0, 1)).toEqual([expect.stringContaining("nested too deeply")]);
    expect(messages("[".repeat(50_000)).length).toBeLessThan(10);
  });

  it("a key given twice is a warning, and the last one counts, as for Kubernetes", () => {
    const [document] = readYaml("a: 1\nb: 2\na: 3");
    expect(document?.value).toEqual({ a: 3, b: 2 });
    expect(document?.problems).toMatchObject([{ severity: "warning", at: { line: 3, column: 1 } }]);
  });
});

describe("places of values", () => {
  const text =
    "---\nspec:\n  list:\n  - name: one\n    deep: &d\n      inner: 1\n  <<: {merged: 2}\n  empty:\n  again: *d\n";
  const [document] = readYaml(text);

  it.each([
    { path: ["spec"], what: "key", at: [2, 1] },
    { path: ["spec", "list", 0, "name"], what: "value", at: [4, 11] },
    { path: ["spec", "list", 0, "name"], what: "key", at: [4, 5] },
    { path: ["spec", "list", 0, "deep", "inner"], what: "value", at: [6, 14] },
    { path: ["spec", "merged"], what: "value", at: [7, 16] },
    { path: ["spec", "empty"], what: "value", at: [8, 3] },
    { path: ["spec", "again", "inner"], what: "value", at: [6, 14] },
    { path: ["spec", "missing", "deeper"], what: "value", at: [3, 3] },
    { path: ["spec", "list", 7], what: "value", at: [4, 3] },
  ] as const)("$what of $path is at $at", ({ path, what, at }) => {
    expect(document?.locate(path, what)).toEqual({ line: at[0], column: at[1] });
  });
});
