import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createExpressions, type Expressions } from "#core/expressions/expressions.ts";

const limits = { milliseconds: 1500, memoryBytes: 32 * 1024 * 1024 };
let expressions: Expressions;
beforeAll(async () => {
  expressions = await createExpressions(limits);
});
afterAll(() => expressions.dispose());

const text = "x".repeat(100_000);
const env = {
  text,
  secret: "s3cret",
  data: JSON.parse('{"__proto__": {"polluted": 1}, "constructor": "mine"}'),
};

const nested = (open: string, close: string, depth: number) => open.repeat(depth) + 1 + close.repeat(depth);

describe("a hostile expression ends in an error, and the next one works", () => {
  it.each<[string, string]>([
    ["loops without end", "all(1..9999, all(1..9999, all(1..9999, true)))"],
    ["a huge range", "1..9223372036854775807"],
    ["many ranges", "map(1..1000, 1..100000)"],
    ["a memory bomb of doubling", "reduce(1..200, #acc + #acc, text)"],
    ["a memory bomb of arrays", "reduce(1..60, [#acc, #acc, #acc, #acc], text) | toJSON()"],
    ["a huge repeat", "repeat(text, 999999)"],
    ["repeated repeats", "repeat(repeat(repeat('ab', 1000), 1000), 1000)"],
    ["replacing by a lot", "replace(text, '', text)"],
    ["joining by a lot", "join(split(text, ''), text)"],
    ["deep parentheses", nested("(", ")", 5000)],
    ["deep arrays", nested("[", "]", 5000)],
    ["deep negation", `${"!".repeat(9000)}true`],
    ["a deep ternary", `${"true ? ".repeat(5000)}1`],
    ["a long chain", `secret${".a".repeat(9999)}`],
    ["more nodes than allowed", Array(12_000).fill("1").join(" + ")],
    ["a regular expression bomb", "repeat('a', 50000) matches '(a*)*(a*)*(a*)*(a*)*(a|b|ab){1,900}c'"],
    ["an expensive pattern", "text matches '(x{0,900}){0,900}y'"],
    ["a deep accumulation", "reduce(1..200000, [#acc], 1) | flatten()"],
    ["a call of a constructor", "data.constructor('return this')()"],
    ["the prototype's constructor", "{}.constructor('return 1')()"],
    ["the array's methods", "[1].map(1)"],
    ["the text's length", "text.length"],
    ["a function's own", "now.constructor"],
  ])("%s", async (_what, expression) => {
    await expect(expressions.evaluate(expression, { env, functions: {} })).rejects.toMatchObject({
      name: "ExpressionError",
      reason: expect.stringMatching(/./),
    });
    expect(await expressions.evaluate("1 + 1", { env, functions: {} })).toBe(2);
  });
});

it("breaks off for itself alone: others that wait at the same time get their answers", async () => {
  const slow = { minArgs: 1, maxArgs: 1, call: async ([value]: readonly unknown[]) => value };
  const all = Array.from({ length: 20 }, (_, index) => {
    const expression =
      index % 5 === 0 ? "[slow(1), reduce(1..200, #acc + #acc, text)]" : `slow(${index}) + 1`;
    return expressions.evaluate(expression, { env, functions: { slow } }).catch((error) => error.name);
  });
  const wanted = Array.from({ length: 20 }, (_, index) => (index % 5 === 0 ? "ExpressionError" : index + 1));
  expect(await Promise.all(all)).toEqual(wanted);
});

describe("an expression sees nothing but its values", () => {
  it.each([
    ["{}.__proto__", null],
    ["{}['constructor']", null],
    ["{}.toString ?? 'none'", "none"],
    ["get({}, 'hasOwnProperty')", null],
    ["data.__proto__.polluted", 1],
    ["{a: 1}.polluted", null],
    ["data.constructor", "mine"],
    ["'__proto__' in {}", false],
    ["keys({'__proto__': 1})", ["__proto__"]],
    ["{'__proto__': {'a': 1}}.a", null],
    ['fromJSON(\'{"__proto__": {"a": 1}}\').a', null],
    ["process ?? globalThis ?? towpathHost ?? require ?? $ ?? e ?? 'nothing'", "nothing"],
    ["let e = 5; e", 5],
    ["keys($env)", ["data", "secret", "text"]],
  ])("%s", async (expression, value) => {
    expect(await expressions.evaluate(expression, { env, functions: {} })).toEqual(value);
  });

  it("of another evaluation, nothing", async () => {
    await expressions.evaluate("let keep = secret; [keep, map([secret], #)]", { env, functions: {} });
    expect(await expressions.evaluate("[secret, keep, $env]", { env: { own: 1 }, functions: {} })).toEqual([
      null,
      null,
      { own: 1 },
    ]);
  });

  it("runs many at once without mixing them up", async () => {
    const functions = (id: number) => ({
      mine: { minArgs: 0, maxArgs: 0, call: async () => id },
    });
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, id) =>
        expressions.evaluate("[id, mine(), mine() + id]", { env: { id }, functions: functions(id) }),
      ),
    );
    expect(answers).toEqual(Array.from({ length: 200 }, (_, id) => [id, id, 2 * id]));
  });
});
