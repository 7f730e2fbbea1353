import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse, parseDocument } from "yaml";
import { updateYaml } from "#steps/lib/yaml-edit.ts";
import yamlUpdate from "#steps/yaml-update.ts";
import { fakeContext, runStep } from "#test/support/step-context.ts";
import { type Place, yamlDocuments } from "#test/support/yaml-documents.ts";

type Updates = Record<string, unknown>;

async function update(before: string, updates: Updates): Promise<{ after: string; output: unknown }> {
  const ctx = fakeContext();
  await ctx.workspace.write("values.yaml", before);
  const list = Object.entries(updates).map(([key, value]) => ({ key, value }));
  const outcome = await runStep(yamlUpdate, { path: "values.yaml", updates: list }, ctx);
  return { after: await ctx.workspace.readText("values.yaml"), output: outcome.output };
}

/** The parser takes a byte order mark before a list for an indent. */
const withoutMark = (text: string) => text.replace(/^\ufeff/, "");

describe("yaml-update", () => {
  it.each([
    {
      what: "text",
      before: "image:\n  tag: old\n",
      updates: { "image.tag": "new" },
      after: "image:\n  tag: new\n",
    },
    { what: "a number", before: "a: idk\n", updates: { a: 42 }, after: "a: 42\n" },
    { what: "a large number", before: "a: 1\n", updates: { a: 12345678 }, after: "a: 12345678\n" },
    { what: "a boolean", before: "a: 1\n", updates: { a: false }, after: "a: false\n" },
    { what: "null", before: "a: 1\n", updates: { a: null }, after: "a: null\n" },
    { what: "text that looks like a number", before: "a: 1\n", updates: { a: "42" }, after: 'a: "42"\n' },
    { what: "text that looks like a float", before: "a: 1\n", updates: { a: "1e3" }, after: 'a: "1e3"\n' },
    {
      what: "text that looks like a boolean",
      before: "a: 1\n",
      updates: { a: "true" },
      after: 'a: "true"\n',
    },
    { what: "text that looks like null", before: "a: 1\n", updates: { a: "~" }, after: 'a: "~"\n' },
    { what: "text that is JSON", before: "a: 1\n", updates: { a: '{"b":1}' }, after: 'a: "{\\"b\\":1}"\n' },
    { what: "text like a mapping", before: "a: 1\n", updates: { a: "b: c" }, after: 'a: "b: c"\n' },
    { what: "text like a comment", before: "a: 1\n", updates: { a: "b #c" }, after: 'a: "b #c"\n' },
    { what: "text of two lines", before: "a: 1\n", updates: { a: "b\nc" }, after: 'a: "b\\nc"\n' },
    {
      what: "text with a colon in it",
      before: "a: 1\n",
      updates: { a: "nginx:1.27" },
      after: "a: nginx:1.27\n",
    },
    { what: "an expression's text", before: "a: 1\n", updates: { a: "${{ x }}" }, after: "a: ${{ x }}\n" },
    { what: "quoted text", before: "a: 'b'\n", updates: { a: "c" }, after: "a: c\n" },
    { what: "an empty value", before: "a:\nb: 1\n", updates: { a: "c" }, after: "a: c\nb: 1\n" },
    {
      what: "an empty value with a comment",
      before: "a: # why\n",
      updates: { a: "c" },
      after: "a: c # why\n",
    },
    { what: "a literal block", before: "a: |\n  b\n  c\nd: 1\n", updates: { a: "e" }, after: "a: e\nd: 1\n" },
    {
      what: "a folded block",
      before: "a: >-\n  b\n\n  c\nd: 1\n",
      updates: { a: "e" },
      after: "a: e\nd: 1\n",
    },
    {
      what: "plain text of several lines",
      before: "a: b\n  c\nd: 1\n",
      updates: { a: "e" },
      after: "a: e\nd: 1\n",
    },
    {
      what: "a value with an anchor",
      before: "a: &x b\nc: *x\n",
      updates: { a: "d" },
      after: "a: &x d\nc: *x\n",
    },
    { what: "a value with a tag", before: "a: !!str 1\n", updates: { a: 2 }, after: "a: 2\n" },
    { what: "text with a tag", before: "a: !!str 1\n", updates: { a: "b" }, after: "a: !!str b\n" },
    {
      what: "a value in braces",
      before: "a: {b: 1, c: 2}\n",
      updates: { "a.b": "x, y" },
      after: 'a: {b: "x, y", c: 2}\n',
    },
    {
      what: "a value in brackets",
      before: "a: [b, c] # d\n",
      updates: { "a.1": "e" },
      after: "a: [b, e] # d\n",
    },
    { what: "JSON", before: '{"a": {"b": "c"}}\n', updates: { "a.b": "d" }, after: '{"a": {"b": "d"}}\n' },
    {
      what: "an entry of a list",
      before: "a:\n- b: c\n- b: d\n",
      updates: { "a.1.b": "e" },
      after: "a:\n- b: c\n- b: e\n",
    },
    { what: "a key with a dot", before: "a.b/c: d\n", updates: { "a\\.b/c": "e" }, after: "a.b/c: e\n" },
    { what: "a key of digits", before: "a:\n  1: b\n", updates: { "a.:1": "c" }, after: "a:\n  1: c\n" },
    { what: "a quoted key", before: '"a b": c\n', updates: { "a b": "d" }, after: '"a b": d\n' },
    {
      what: "CRLF",
      before: "a: 1\r\nb: 2 # c\r\n",
      updates: { a: "x", b: "y" },
      after: "a: x\r\nb: y # c\r\n",
    },
    { what: "a byte order mark", before: "\ufeffa: 1\n", updates: { a: 2 }, after: "\ufeffa: 2\n" },
    { what: "no last line end", before: "a: 1", updates: { a: 2 }, after: "a: 2" },
    { what: "several documents", before: "a: 1\n---\na: 2\n", updates: { a: 3 }, after: "a: 3\n---\na: 2\n" },
    {
      what: "odd indents",
      before: "a:\n     - b:   1   # c\n",
      updates: { "a.0.b": 2 },
      after: "a:\n     - b:   2   # c\n",
    },
  ])("sets $what", async ({ before, updates, after }) => {
    expect((await update(before, updates)).after).toBe(after);
  });

  it("tells what it changed", async () => {
    const { output } = await update("image:\n  tag: old\n  port: 1\n  id: a\n", {
      "image.tag": "v1.2.3",
      "image.port": 8080,
      "image.id": "42",
    });
    expect(output).toEqual({
      commitMessage: 'Updated values.yaml\n\n- image.tag: v1.2.3\n- image.port: 8080\n- image.id: "42"',
    });
  });

  it.each([
    { before: "a: 1\n", updates: { b: 1 }, says: 'key "b" does not exist: the file has no "b"' },
    { before: "image:\n  tag: 1\n", updates: { "image.tga": 1 }, says: 'did you mean "tag"?' },
    { before: "a: 1\n", updates: { "a.b": 1 }, says: '"a" is a single value' },
    { before: "a:\n  b: 1\n", updates: { a: 1 }, says: "does not address a single value" },
    { before: "a: [1]\n", updates: { "a.1": 1 }, says: '"a" is a list of 1' },
    { before: "a: [1]\n", updates: { "a.first": 1 }, says: '"first" is no index' },
    { before: "a: [1]\n", updates: { "a.-1": 1 }, says: '"-1" is no index' },
    { before: "a: &x {c: 1}\nb: *x\n", updates: { "b.c": 1 }, says: 'alias "*x"' },
    { before: "a:\n- b\n\tc: d\n", updates: { a: 1 }, says: "not valid YAML" },
    { before: "", updates: { a: 1 }, says: "does not exist" },
    { before: "a: 1\n", updates: { "a..b": 1 }, says: "a part of it is empty" },
    { before: "a: 1\n", updates: { a: { b: 1 } }, says: "not a string, number or boolean" },
  ])("fails on $updates in $before", async ({ before, updates, says }) => {
    await expect(update(before, updates)).rejects.toMatchObject({
      status: "Errored",
      terminal: false,
      message: expect.stringContaining(says),
    });
  });

  it("changes nothing when one of the updates fails", async () => {
    const ctx = fakeContext();
    await ctx.workspace.write("values.yaml", "a: 1\n");
    const updates = [
      { key: "a", value: 2 },
      { key: "b", value: 2 },
    ];
    await expect(runStep(yamlUpdate, { path: "values.yaml", updates }, ctx)).rejects.toThrow('"b"');
    expect(await ctx.workspace.readText("values.yaml")).toBe("a: 1\n");
  });

  it("does not harm a file that is no UTF-8", async () => {
    const ctx = fakeContext();
    await ctx.workspace.write("values.yaml", new Uint8Array([0x61, 0x3a, 0x20, 0xff]));
    const config = { path: "values.yaml", updates: [{ key: "a", value: 2 }] };
    await expect(runStep(yamlUpdate, config, ctx)).rejects.toThrow("not UTF-8");
  });

  it.each([
    {},
    { path: "a" },
    { path: "", updates: [{ key: "a", value: 1 }] },
    { path: "a", updates: [] },
    { path: "a", updates: [{ key: "a" }] },
    { path: "a", updates: [{ key: "", value: 1 }] },
    { path: "a", updates: [{ key: "a", value: 1 }], more: 1 },
  ])("refuses the configuration %j", async (config) => {
    await expect(runStep(yamlUpdate, config)).rejects.toMatchObject({ kind: "config" });
  });

  const anyText = fc.oneof(
    fc.string(),
    fc.string({ unit: "binary" }),
    fc.constantFrom(
      "- a",
      "? b",
      "---",
      "...",
      "0x1",
      "%a",
      "@b",
      "a: ",
      " ",
      "a #b",
      "[",
      "}",
      "'",
      '"',
      "é",
    ),
  );

  it("gives any value back when the file is read, and leaves the other lines alone", async () => {
    const values = fc.oneof(anyText, fc.integer(), fc.boolean(), fc.constant(null));
    await fc.assert(
      fc.asyncProperty(yamlDocuments, fc.nat(), values, async ({ text, places }, pick, value) => {
        const place = places[pick % places.length] as Place;
        const key = place.path.map((part) => String(part).replaceAll(".", "\\.")).join(".");
        const { after } = await update(text, { [key]: value });

        const expected = parseDocument(withoutMark(text));
        expected.setIn(place.path, value);
        expect(parse(withoutMark(after))).toEqual(expected.toJS());
        expect(after.startsWith("\ufeff")).toBe(text.startsWith("\ufeff"));

        const before = text.split("\n");
        const lines = after.split("\n");
        expect(lines.slice(0, place.from)).toEqual(before.slice(0, place.from));
        const left = before.length - place.to;
        expect(lines.slice(lines.length - left)).toEqual(before.slice(place.to));
      }),
      { numRuns: 300 },
    );
  });

  it("changes a large file as it does a small one", () => {
    const rest = `${`\n# ${"x".repeat(998)}`.repeat(33)}\n`;
    fc.assert(
      fc.property(yamlDocuments, fc.array(fc.nat(), { minLength: 1, maxLength: 3 }), (document, picks) => {
        const { text, places } = document;
        const updates = picks.map((pick) => {
          const { path } = places[pick % places.length] as Place;
          return { key: path.map((part) => String(part).replaceAll(".", "\\.")).join("."), value: "a: b" };
        });
        expect(updateYaml(text + rest, updates)).toBe(updateYaml(text, updates) + rest);
      }),
      { numRuns: 200 },
    );
  });

  const large = Array.from({ length: 2000 }, (_, n) => `key-${n}:\n  a: ${n} # same\n  b: [x]\n`).join("");

  it.each([
    { what: "a key", updates: { "key-7.a": "x" }, from: "a: 7 #", to: "a: x #" },
    {
      what: "the last key",
      updates: { "key-1999.b.0": "y" },
      from: "1999 # same\n  b: [x]",
      to: "1999 # same\n  b: [y]",
    },
  ])("sets $what of a large file", async ({ updates, from, to }) => {
    expect((await update(large, updates)).after).toBe(large.replace(from, to));
    expect((await update(`${large}---\nkey-7: 1\n`, updates)).after).toBe(
      `${large.replace(from, to)}---\nkey-7: 1\n`,
    );
  });

  it.each([
    { what: "broken at its end", before: `${large}a: b: c\n`, key: "key-7.a", says: "not valid YAML" },
    { what: "without the key", before: large, key: "key-2000.a", says: "does not exist" },
    {
      what: "that is a list",
      before: large.replaceAll(/^/gm, "  ").replaceAll("  key", "- key"),
      key: "key-7.a",
      says: "is a list",
    },
  ])("fails on a large file $what", async ({ before, key, says }) => {
    await expect(update(before, { [key]: "x" })).rejects.toThrow(says);
  });
});
