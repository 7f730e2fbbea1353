import fc from "fast-check";
import { parse, stringify } from "smol-toml";
import { describe, expect, it } from "vitest";
import tomlParse from "#steps/toml-parse.ts";
import tomlUpdate from "#steps/toml-update.ts";
import { contextWith } from "#test/support/files.ts";
import { runStep } from "#test/support/step-context.ts";

async function update(before: string, updates: [string, unknown][]) {
  const ctx = await contextWith({ "a.toml": before });
  const list = updates.map(([key, value]) => ({ key, value }));
  const outcome = await runStep(tomlUpdate, { path: "a.toml", updates: list }, ctx);
  return { after: await ctx.workspace.readText("a.toml"), output: outcome.output };
}

describe("toml-update", () => {
  it.each<{ what: string; before: string; updates: [string, unknown][]; after: string }>([
    {
      what: "text",
      before: 'a = "old" # why\nb = true\n',
      updates: [["a", "new"]],
      after: "a = 'new' # why\nb = true\n",
    },
    { what: "text with a quote", before: 'a = "b"\n', updates: [["a", "it's"]], after: 'a = "it\'s"\n' },
    { what: "text of two lines", before: 'a = "b"\n', updates: [["a", "b\nc"]], after: 'a = "b\\nc"\n' },
    {
      what: "long text",
      before: 'a = """\nb\n"" c"""\nd = 1\n',
      updates: [["a", "e"]],
      after: "a = 'e'\nd = 1\n",
    },
    {
      what: "long literal text",
      before: "a = '''b\n'c'\n'''\nd = 1\n",
      updates: [["a", "e"]],
      after: "a = 'e'\nd = 1\n",
    },
    { what: "an integer", before: "a = 1\n", updates: [["a", 42]], after: "a = 42\n" },
    { what: "an integer where a float was", before: "a = 1.5\n", updates: [["a", 2]], after: "a = 2.0\n" },
    { what: "a float", before: "a = 1\n", updates: [["a", 0.5]], after: "a = 0.5\n" },
    { what: "a boolean", before: "[a]\nb = false\n", updates: [["a.b", true]], after: "[a]\nb = true\n" },
    {
      what: "a date",
      before: "a = 1979-05-27 07:32:00Z # b\n",
      updates: [["a", "c"]],
      after: "a = 'c' # b\n",
    },
    { what: "a dotted key", before: "a.b.c = 1\n", updates: [["a.b.c", 2]], after: "a.b.c = 2\n" },
    {
      what: "a quoted key",
      before: '"a.b/c" = "1"\n',
      updates: [["a\\.b/c", "2"]],
      after: "\"a.b/c\" = '2'\n",
    },
    {
      what: "a dotted table",
      before: "[ a . b ]\nc = 1\n",
      updates: [["a.b.c", 2]],
      after: "[ a . b ]\nc = 2\n",
    },
    {
      what: "an entry of a list",
      before: "a = [1, [2, 3], # x\n 4,\n]\n",
      updates: [
        ["a.1.0", 9],
        ["a.2", 5],
      ],
      after: "a = [1, [9, 3], # x\n 5,\n]\n",
    },
    {
      what: "an inline table",
      before: 'a = { b = "c", d.e = 1 }\n',
      updates: [
        ["a.d.e", 2],
        ["a.b", "x"],
      ],
      after: "a = { b = 'x', d.e = 2 }\n",
    },
    {
      what: "a table of a list",
      before: "[[a]]\nb = 1\n\n[[a]]\nb = 2\n",
      updates: [["a.1.b", 3]],
      after: "[[a]]\nb = 1\n\n[[a]]\nb = 3\n",
    },
    {
      what: "a table below a list",
      before: "[[a]]\n[a.b]\nc = 1\n[[a]]\n[a.b]\nc = 2\n",
      updates: [["a.0.b.c", 3]],
      after: "[[a]]\n[a.b]\nc = 3\n[[a]]\n[a.b]\nc = 2\n",
    },
    {
      what: "the last of equal keys",
      before: "a = 1\n",
      updates: [
        ["a", 2],
        ["a", 3],
      ],
      after: "a = 3\n",
    },
    { what: "CRLF", before: "a = 1\r\nb = 2\r\n", updates: [["b", 3]], after: "a = 1\r\nb = 3\r\n" },
    {
      what: "brackets and hashes in text",
      before: "a = \"# [x]\"\nb = '}'\nc = 1\n",
      updates: [["c", 2]],
      after: "a = \"# [x]\"\nb = '}'\nc = 2\n",
    },
  ])("sets $what", async ({ before, updates, after }) => {
    expect((await update(before, updates)).after).toBe(after);
  });

  it("tells what it changed", async () => {
    const { output } = await update('a = "b"\nc = 1\nd = true\n', [
      ["a", "x"],
      ["c", 42],
      ["d", false],
    ]);
    expect(output).toEqual({ commitMessage: "Updated a.toml\n\n- a: 'x'\n- c: 42\n- d: false" });
  });

  it.each<{ before: string; updates: [string, unknown][]; says: string }>([
    { before: "a = 1\n", updates: [["b", 1]], says: 'key "b" does not exist' },
    { before: "[a]\nb = 1\n", updates: [["a", 1]], says: "is a table or a list" },
    { before: "a = [1]\n", updates: [["a", 1]], says: "is a table or a list" },
    { before: "a = 1\n", updates: [["a", [1]]], says: "not a string, number or boolean" },
    { before: "a = 1\n", updates: [["a", null]], says: "not a string, number or boolean" },
    { before: "a = \n", updates: [["a", 1]], says: "not valid TOML" },
  ])("fails on $updates in $before", async ({ before, updates, says }) => {
    await expect(update(before, updates)).rejects.toMatchObject({
      status: "Errored",
      message: expect.stringContaining(says),
    });
  });

  it("gives any value back when the file is read, and leaves comments alone", async () => {
    await fc.assert(
      fc.asyncProperty(tables, fc.nat(), singles, fc.boolean(), async (data, pick, value, isCommented) => {
        const paths = pathsIn(data);
        const path = paths[pick % paths.length] ?? [];
        const text = stringify(data).replaceAll(/^(?=[\w["'])/gm, isCommented ? "# said\n" : "");
        const key = path.map((part) => part.replaceAll(/[.:]/g, "\\$&")).join(".");
        const { after } = await update(text, [[key, value]]);
        const expected = parse(text);
        setAt(expected, path, value);
        expect(parse(after)).toEqual(expected);
        expect(after.split("# said").length).toBe(text.split("# said").length);
      }),
      { numRuns: 150 },
    );
  });
});

const singles = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.boolean(),
  fc.constantFrom("'''", '"""', "# x", "[x]", "a\nb", "\\"),
);
const names = fc.string({ minLength: 1, maxLength: 4, unit: fc.constantFrom(..."ab-_.é\"'") });
const { table: tables } = fc.letrec<{ table: Record<string, unknown>; value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    singles,
    fc.array(singles, { minLength: 1 }),
    tie("table"),
    fc.array(tie("table"), { minLength: 1, maxLength: 3 }),
  ),
  table: fc.dictionary(names, tie("value"), { minKeys: 1, maxKeys: 3 }),
}));

function pathsIn(value: unknown, path: string[] = []): string[][] {
  if (typeof value !== "object" || value === null) return [path];
  return Object.entries(value).flatMap(([key, one]) => pathsIn(one, [...path, key]));
}

function setAt(data: unknown, [first = "", ...rest]: string[], value: unknown): void {
  const place = data as Record<string, unknown>;
  if (rest.length === 0) place[first] = value;
  else setAt(place[first], rest, value);
}

describe("toml-parse", () => {
  const read = async (text: string, fromExpression: string) => {
    const ctx = await contextWith({ "a.toml": text });
    const outputs = [{ name: "value", fromExpression }];
    return (await runStep(tomlParse, { path: "a.toml", outputs }, ctx)).output?.value;
  };

  it.each([
    { text: '[a]\nb = "c"\n', expression: "a.b", value: "c" },
    { text: "a = 7\n", expression: "a % 4", value: 3 },
    { text: "a = 1.0\n", expression: "a", value: 1 },
    { text: "[[a]]\nb = 1\n[[a]]\nb = 2\n", expression: "a[1].b", value: 2 },
    { text: "a = 1979-05-27\n", expression: "a", value: "1979-05-27" },
    { text: "a = 1979-05-27T07:32:00Z\n", expression: "a", value: "1979-05-27T07:32:00.000Z" },
    { text: "a = 1\n", expression: "missing", value: null },
  ])("gives $expression of $text", async ({ text, expression, value }) => {
    expect(await read(text, expression)).toEqual(value);
  });

  it.each([
    { text: "", says: "it is empty" },
    { text: "a = = 1\n", says: "not valid TOML" },
  ])("fails on $text", async ({ text, says }) => {
    await expect(read(text, "a")).rejects.toMatchObject({
      status: "Errored",
      message: expect.stringContaining(says),
    });
  });
});
