import fc from "fast-check";
import { describe, expect, it } from "vitest";
import jsonUpdate from "#steps/json-update.ts";
import { contextWith } from "#test/support/files.ts";
import { runStep } from "#test/support/step-context.ts";

async function update(before: string, updates: [string, unknown][]) {
  const ctx = await contextWith({ "a.json": before });
  const list = updates.map(([key, value]) => ({ key, value }));
  const outcome = await runStep(jsonUpdate, { path: "a.json", updates: list }, ctx);
  return { after: await ctx.workspace.readText("a.json"), output: outcome.output };
}

describe("json-update", () => {
  it.each<{ what: string; before: string; updates: [string, unknown][]; after: string }>([
    { what: "text", before: '{"a": "b"}', updates: [["a", "c"]], after: '{"a": "c"}' },
    { what: "a number", before: '{"a": 1}', updates: [["a", 425]], after: '{"a": 425}' },
    {
      what: "a boolean",
      before: '{"a": {"b": true}}',
      updates: [["a.b", false]],
      after: '{"a": {"b": false}}',
    },
    {
      what: "a large number",
      before: '{"a": 1}',
      updates: [["a", 1e21]],
      after: '{"a": 1000000000000000000000}',
    },
    { what: "a small number", before: '{"a": 1}', updates: [["a", 1.5e-7]], after: '{"a": 0.00000015}' },
    {
      what: "an object by text",
      before: '{"a": {"b": 1}, "c": 2}',
      updates: [["a", "x"]],
      after: '{"a": "x", "c": 2}',
    },
    { what: "an entry of a list", before: '{"a": [1, 2]}', updates: [["a.1", 3]], after: '{"a": [1, 3]}' },
    {
      what: "an entry behind the end",
      before: '{"a": [1, 2]}',
      updates: [["a.3", 4]],
      after: '{"a": [1,2,null,4]}',
    },
    {
      what: "an entry at the end",
      before: '{"a": [1, 2 ]}',
      updates: [["a.-1", 3]],
      after: '{"a": [1, 2 ,3]}',
    },
    { what: "a new key", before: '{"a": {}}', updates: [["a.b", "c"]], after: '{"a": {"b":"c"}}' },
    {
      what: "a new key beside others",
      before: '{\n  "a": 1\n}\n',
      updates: [["b", 2]],
      after: '{\n  "a": 1\n,"b":2}\n',
    },
    { what: "new objects on the way", before: "{}", updates: [["a.b.c", 1]], after: '{"a":{"b":{"c":1}}}' },
    { what: "new lists on the way", before: "{}", updates: [["a.1.b", 1]], after: '{"a":[null,{"b":1}]}' },
    { what: "an empty file", before: "", updates: [["a.b", "c"]], after: '{"a":{"b":"c"}}' },
    { what: "a value in the way", before: '{"a": "b"}', updates: [["a.c", 1]], after: '{"a": {"c":1}}' },
    { what: "a key with a dot", before: '{"a.b": 1}', updates: [["a\\.b", 2]], after: '{"a.b": 2}' },
    { what: "a name of digits", before: '{"a": {}}', updates: [["a.:1", 2]], after: '{"a": {"1":2}}' },
    { what: "a key with escapes", before: '{"a\\"b": 1}', updates: [['a"b', 2]], after: '{"a\\"b": 2}' },
    {
      what: "brackets inside of text",
      before: '{"a": "}]\\"", "b": 1}',
      updates: [["b", 2]],
      after: '{"a": "}]\\"", "b": 2}',
    },
    {
      what: "text to escape",
      before: '{"a": 1}',
      updates: [["a", 'q"<é>']],
      after: '{"a": "q\\"\\u003cé\\u003e"}',
    },
    { what: "plain text with angles", before: '{"a": 1}', updates: [["a", "<b>"]], after: '{"a": "<b>"}' },
    {
      what: "several keys",
      before: '{"a": 1, "b": 2}',
      updates: [
        ["a", 3],
        ["b", 4],
        ["a", 5],
      ],
      after: '{"a": 5, "b": 4}',
    },
    {
      what: "the first of two equal keys",
      before: '{"a": 1, "a": 2}',
      updates: [["a", 3]],
      after: '{"a": 3, "a": 2}',
    },
  ])("sets $what", async ({ before, updates, after }) => {
    expect((await update(before, updates)).after).toBe(after);
  });

  it("tells what it changed", async () => {
    const { output } = await update('{"a": {"b": 1}}', [
      ["a.b", "1.0.1"],
      ["a.c", true],
      ["d", 100],
    ]);
    expect(output).toEqual({ commitMessage: 'Updated a.json\n\n- a.b: "1.0.1"\n- a.c: true\n- d: 100' });
  });

  it.each<{ before: string; updates: [string, unknown][]; says: string }>([
    { before: '{"a": [1]}', updates: [["a.b", 1]], says: '"b" is no index of a list' },
    { before: "{}", updates: [["a", { b: 1 }]], says: "not a string, number or boolean" },
    { before: "{}", updates: [["a", null]], says: "not a string, number or boolean" },
    { before: "[]", updates: [["99999999", 1]], says: "too far behind the end" },
  ])("fails on $updates in $before", async ({ before, updates, says }) => {
    await expect(update(before, updates)).rejects.toMatchObject({
      status: "Errored",
      message: expect.stringContaining(says),
    });
  });

  it("fails without a file", async () => {
    const config = { path: "none.json", updates: [{ key: "a", value: 1 }] };
    await expect(runStep(jsonUpdate, config)).rejects.toThrow("there is no such file");
  });

  it("gives any value back when the file is read, and leaves the rest alone", async () => {
    const name = fc
      .string({ minLength: 1, maxLength: 5, unit: fc.constantFrom(..."abcdé x") })
      .map((text) => `k${text}`);
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(name, fc.jsonValue(), { minKeys: 1 }),
        fc.string(),
        fc.nat(4),
        async (data, value, indent) => {
          const key = Object.keys(data)[0] ?? "";
          const { after } = await update(JSON.stringify(data, null, indent), [[key, value]]);
          expect(JSON.parse(after)).toEqual({ ...data, [key]: value });
        },
      ),
      { numRuns: 100 },
    );
  });
});
