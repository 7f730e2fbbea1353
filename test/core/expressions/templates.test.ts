import { describe, expect, it } from "vitest";
import { parseEnvironment } from "#core/expressions/parse-environment.ts";
import { Struct } from "#core/expressions/runtime/values.ts";
import { sandboxForFile } from "./support.ts";

const expressions = sandboxForFile();
const env = {
  ctx: { stage: "quay" },
  tons: 3,
  ok: true,
  nothing: null,
  list: ["a", 1.5],
  crew: { mate: { b: 2, a: [1, { x: null }] } },
  lines: "one\ntwo\n",
};
const scope = { env, functions: {} };

describe("a template becomes", () => {
  it.each([
    ["plain text, numbers too", "42", "42"],
    ["a number", "${{ tons + 1 }}", 4],
    ["a number out of two parts", "1${{ tons }}", 13],
    ["a boolean", "${{ ok }}", true],
    ["a boolean out of a letter", "${{ 't' }}", true],
    ["null", "${{ nothing }}", null],
    ["null for an unknown name", "${{ unknown }}", null],
    ["an array", "${{ list }}", ["a", 1.5]],
    ["an object", "${{ crew.mate }}", { a: [1, { x: null }], b: 2 }],
    ["an object written around expressions", '{"n": ${{ tons }}}', { n: 3 }],
    ["text", "at ${{ ctx.stage }}", "at quay"],
    ["text with both delimiters", "${{ ctx.stage }}-${% {'k': {'v': 1}}.k.v %}", "quay-1"],
    ["text with JSON in it", "n=${{ list }}", 'n=["a",1.5]'],
    ["quoted text without its quotes", "${{ quote(tons) }}", "3"],
    ["quoted text as it was", "${{ quote(ctx.stage) }}", "quay"],
    ["text that keeps its own quotes", "${{ unsafeQuote(ctx.stage) }}", '"quay"'],
    ["quoted null", "${{ quote(nil) }}", "null"],
    ["Go's escapes of what it quotes", "${{ quote(lines) }}", "one\\ntwo\\n"],
    ["a number in front of a line end", "${{ tons }}\n", 3],
    ["quoted text, its line end kept", "${{ quote(tons) }}\n", "3\n"],
    ["text, its line ends kept", "${{ ctx.stage }}\n\n", "quay\n\n"],
    ["a number in Go's notation", "${{ '0x1p-2' }}", 0.25],
    ["a number with underscores", "1_000${{ '' }}", 1000],
    ["text when a number is too large", "1e${{ 999 }}", "1e999"],
    ["YAML as text", "${{ asYAML(crew) }}", "mate:\n    a:\n        - 1\n        - x: null\n    b: 2\n"],
    ["indented JSON as text", "${{ asJSON(list) }}", '[\n  "a",\n  1.5\n]\n'],
    ["JSON with <, > and & escaped", "${{ ['<&>'] }}!", '["\\u003c\\u0026\\u003e"]!'],
    ["nothing of what follows an empty expression", "a${{}}b${{ tons }}", "ab${{ tons }}"],
  ])("%s: %s", async (_what, template, value) => {
    expect(await expressions().evaluateTemplate(template, scope)).toEqual(value);
  });

  it.each([
    ["${{ tons", 'expected "}}"'],
    ["${% tons }}", 'expected "%}"'],
    ["${{ {'a': {'b': 1}} }}", "unexpected token EOF"],
    ["${{ 'Inf' }}", "unsupported value: +Inf"],
    ["${{ fromPairs([[1, 2]]) }}", "unsupported type"],
  ])("an error: %s", async (template, reason) => {
    await expect(expressions().evaluateJsonTemplate(template, scope)).rejects.toThrow(reason);
  });
});

describe("YAML is laid out as Go's yaml.v3 lays it out", () => {
  it.each([
    [{ b10: 1, b9: 2, "10": 3, "9": 4 }, '"9": 4\n"10": 3\nb9: 2\nb10: 1\n'],
    [[], "[]\n"],
    [
      { none: {}, list: [[1, [2]], [{ a: 1, b: [] }]] },
      "list:\n    - - 1\n      - - 2\n    - - a: 1\n        b: []\nnone: {}\n",
    ],
    [
      ["true", "~", "12", "1:30", "no", "2024-05-05", "0x1F", ".5"],
      '- "true"\n- "~"\n- "12"\n- "1:30"\n- "no"\n- "2024-05-05"\n- "0x1F"\n- ".5"\n',
    ],
    [
      ["a: b", "- x", "#c", " x", "it's", "a#b", "x,y"],
      "- 'a: b'\n- '- x'\n- '#c'\n- ' x'\n- it's\n- a#b\n- x,y\n",
    ],
    [
      { text: "one\n two\n", more: "\n x", end: "a\n\n" },
      "end: |+\n    a\n\nmore: |4-\n\n     x\ntext: |\n    one\n     two\n",
    ],
    [["tab\there", "\u0001", 'say "hi"\n '], '- "tab\\there"\n- "\\x01"\n- "say \\"hi\\"\\n "\n'],
  ])("%j", async (value, yaml) => {
    const text = await expressions().evaluateTemplate("${{ asYAML(value) }}", {
      env: { value },
      functions: {},
    });
    expect(text).toBe(yaml);
  });
});

describe("JSON templates", () => {
  it("evaluates values at any depth, and never keys", async () => {
    const template = { "${{ tons }}": ["${{ tons }}", { deep: "${{ ctx.stage }}" }], plain: 1.5, no: null };
    expect(await expressions().evaluateJsonTemplate(template, scope)).toEqual({
      "${{ tons }}": [3, { deep: "quay" }],
      plain: 1.5,
      no: null,
    });
  });

  it("takes data for data: what a value looks like is not evaluated again", async () => {
    const env = { tag: "${{ 1 + 1 }}", struct: { __proto__: null, $: ["struct"] } };
    expect(
      await expressions().evaluateJsonTemplate(["${{ tag }}", "${{ struct }}"], { env, functions: {} }),
    ).toEqual(["${{ 1 + 1 }}", { $: ["struct"] }]);
  });
});

describe("an environment read from JSON", () => {
  const rows: readonly (readonly [string, string])[] = [
    ["type(whole) + type(point) + type(half)", '"intfloatfloat"'],
    ["whole % 2", "1"],
    ["long + 1", "9223372036854775807"],
    ["type(longer)", '"float"'],
  ];
  const text =
    '{"whole": 7, "point": 7.0, "half": 0.5, "long": 9223372036854775806, "longer": 9223372036854775808}';
  it.each(rows)("keeps numbers as they are written: %s gives %s", async (expression, json) => {
    const env = parseEnvironment(text) as Record<string, unknown>;
    expect(await expressions().evaluateToJson(expression, { env, functions: {} })).toBe(json);
  });

  it("cannot take the names that templates bring along", async () => {
    const answer = expressions().evaluateJsonTemplate({}, { env: { quote: null }, functions: {} });
    await expect(answer).rejects.toThrow('"quote" is a forbidden key');
  });
});

describe("host functions", () => {
  it("are asked once for the same arguments, and waited for", async () => {
    const asked: unknown[] = [];
    const look = {
      minArgs: 1,
      maxArgs: 1,
      call: async (args: readonly unknown[]) => {
        asked.push(args);
        return { of: args[0] };
      },
    };
    const template = "${{ look('a').of + look('b').of + look('a').of }}";
    expect(await expressions().evaluateTemplate(template, { env, functions: { look } })).toBe("aba");
    expect(asked).toEqual([["a"], ["b"]]);
  });

  it("win over built-in functions of the same name, unless asked for with ::", async () => {
    const upper = { minArgs: 1, maxArgs: 1, call: () => "mine" };
    const functions = { upper };
    expect(await expressions().evaluate("upper('a') + ::upper('a')", { env, functions })).toBe("mineA");
    expect(await expressions().evaluate("upper('a')", { env, functions: {} })).toBe("A");
  });

  it("end the evaluation with the reason that they throw", async () => {
    const refuse = {
      minArgs: 0,
      maxArgs: 0,
      call: () => {
        throw new Error("the hold is full");
      },
    };
    const evaluation = expressions().evaluate("1 + refuse()", { env, functions: { refuse } });
    await expect(evaluation).rejects.toThrow("the hold is full (1:5)");
  });

  it("give structs with Go's names inside and JSON's names outside", async () => {
    const ship = new Struct("harbour.Ship", [
      { name: "ID", json: "id", value: "x1", omitEmpty: false },
      { name: "Load", json: "load", value: "", omitEmpty: true },
    ]);
    const functions = { ship: { minArgs: 0, maxArgs: 0, call: () => ship } };
    expect(await expressions().evaluate("[ship().ID, ship()]", { env, functions })).toEqual([
      "x1",
      { id: "x1" },
    ]);
    await expect(expressions().evaluate("ship().id", { env, functions })).rejects.toThrow(
      "cannot fetch id from harbour.Ship",
    );
  });
});
