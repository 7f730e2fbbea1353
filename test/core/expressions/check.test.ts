import { describe, expect, it } from "vitest";
import { checkExpression, checkTemplate } from "#core/expressions/check-ahead.ts";
import { promotionFunctionTypes } from "#core/expressions/kargo-functions.ts";

const functions = promotionFunctionTypes();
const variables = {
  ctx: { project: true, meta: { step: { alias: true } } },
  vars: { image: true },
  outputs: true,
} as const;

describe("checked ahead, an expression is found", () => {
  it.each([
    ["good", "ctx.project + vars.image + outputs.any.thing", []],
    ["good with its own variables", "let a = ctx.project; a + map([1], # + 1)[0]", []],
    ["good where it asks first", "vars?.absent ?? ctx.meta.step.alias", []],
    ["to misspell a variable", "cxt.project", ["unknown name cxt, did you mean ctx?"]],
    ["to misspell what is in it", "vars.imgae", ["unknown field imgae, did you mean image?"]],
    ["to misspell deep inside", "ctx.meta.stpe.alias", ["unknown field stpe, did you mean step?"]],
    ["to misspell a function", "sercet('a').b", ["unknown function sercet, did you mean secret?"]],
    ["to misspell a built-in", "uper('a')", ["unknown function uper, did you mean upper?"]],
    [
      "to misspell a field",
      "imageFrom('x').Tga",
      ["type v1alpha1.Image has no field Tga, did you mean Tag?"],
    ],
    [
      "to misspell a method",
      "semverParse('1.2.3').Mayor()",
      ["type semver.Version has no method Mayor, did you mean Major?"],
    ],
    ["to give too little", "secret().a", ["not enough arguments to call secret"]],
    ["to give too much", "upper('a', 'b')", ["too many arguments to call upper"]],
    ["to give the wrong thing", "secret(1)", ["cannot use int as argument (type string) to call secret"]],
    ["to mix types", "'v' + 1", ["invalid operation: + (mismatched types string and int)"]],
    ["to divide by zero", "1 % 0", ["integer divide by zero"]],
    ["to match a bad pattern", "'a' matches '('", [expect.stringContaining("missing closing )")]],
    [
      "wrong in several places",
      "cxt + upper(1) + vras",
      [
        "unknown name cxt, did you mean ctx?",
        expect.stringContaining("cannot use int"),
        "unknown name vras, did you mean vars?",
      ],
    ],
    ["unreadable", "ctx.", ["unexpected end of expression"]],
  ])("%s: %s", (_what, expression, reasons) => {
    expect(checkExpression(expression, { variables, functions }).map(({ reason }) => reason)).toEqual(
      reasons,
    );
  });

  it("takes any name when no names are known", () => {
    expect(checkExpression("anything.goes(1)", { functions })).toEqual([]);
  });
});

describe("a problem names its place", () => {
  it("with a caret under it, lines and all", () => {
    const [problem] = checkExpression("ctx.project +\n\tcxt.project", { variables, functions });
    expect(problem).toMatchObject({ line: 2, column: 2 });
    expect(problem?.message).toBe("unknown name cxt, did you mean ctx? (2:2)\n |  cxt.project\n | .^");
  });

  it("counts characters and not their halves", () => {
    expect(checkExpression("'🍀' + 1", { functions })[0]).toMatchObject({ line: 1, column: 5 });
  });

  it("of the expression that is wrong, in a template of several", () => {
    const problems = checkTemplate("${{ ctx.project }}/${{ quote() }}/${% cxt %}", { variables, functions });
    expect(problems.map(({ expression, reason }) => [expression, reason])).toEqual([
      [" quote() ", "not enough arguments to call quote"],
      [" cxt ", "unknown name cxt, did you mean ctx?"],
    ]);
  });
});
