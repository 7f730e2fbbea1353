import { describe, expect, it } from "vitest";
import jsonParse from "#steps/json-parse.ts";
import yamlParse from "#steps/yaml-parse.ts";
import { fakeContext, runStep } from "#test/support/step-context.ts";

const steps = { "yaml-parse": yamlParse, "json-parse": jsonParse };
type Name = keyof typeof steps;

async function read(name: Name, text: string, fromExpression: string): Promise<unknown> {
  const ctx = fakeContext();
  await ctx.workspace.write("file", text);
  const outcome = await runStep(
    steps[name],
    { path: "file", outputs: [{ name: "value", fromExpression }] },
    ctx,
  );
  return outcome.output?.value;
}

describe("values", () => {
  it.each<{ name: Name; text: string; expression: string; value: unknown }>([
    { name: "yaml-parse", text: "app:\n  version: 1.2.3\n", expression: "app.version", value: "1.2.3" },
    { name: "yaml-parse", text: "a: 10.0\n", expression: "a", value: 10 },
    { name: "yaml-parse", text: "a: 42\n", expression: "a / 4", value: 10.5 },
    { name: "yaml-parse", text: "- a\n- b\n", expression: "$env[1]", value: "b" },
    { name: "yaml-parse", text: "- a\n- b\n", expression: "len($env)", value: 2 },
    { name: "yaml-parse", text: "a: {b: [1, {c: d}]}\n", expression: "a", value: { b: [1, { c: "d" }] } },
    { name: "yaml-parse", text: "a: 1\n", expression: "missing", value: null },
    { name: "yaml-parse", text: "just text\n", expression: "$env", value: "just text" },
    {
      name: "yaml-parse",
      text: "a: yes\nb: off\nc: y\n",
      expression: "[a, b, c]",
      value: [true, false, true],
    },
    { name: "yaml-parse", text: "a: 0o17\nb: 010\nc: 0x1F\n", expression: "[b, c]", value: [8, 31] },
    {
      name: "yaml-parse",
      text: "a: 12:30:45\nb: 2020-01-01\n",
      expression: "[a, b]",
      value: ["12:30:45", "2020-01-01"],
    },
    {
      name: "yaml-parse",
      text: "a: &x {b: 1}\nc:\n  <<: *x\n  d: 2\n",
      expression: "c",
      value: { b: 1, d: 2 },
    },
    { name: "yaml-parse", text: "a: 1\na: 2\n", expression: "a", value: 2 },
    {
      name: "yaml-parse",
      text: "1: a\ntrue: b\n",
      expression: '[$env["1"], $env["true"]]',
      value: ["a", "b"],
    },
    { name: "yaml-parse", text: "a: 1\n---\na: 2\n", expression: "a", value: 1 },
    { name: "yaml-parse", text: "a: !!binary aGk=\n", expression: "a", value: "hi" },
    { name: "json-parse", text: '{"app": {"version": "1.2.3"}}', expression: "app.version", value: "1.2.3" },
    { name: "json-parse", text: '["a", "b"]', expression: "$env[0]", value: "a" },
    { name: "json-parse", text: '{"a": [1, 2, 3]}', expression: "a | filter(# > 1)", value: [2, 3] },
    { name: "json-parse", text: '{"a": null}', expression: "a ?? 1", value: 1 },
    { name: "json-parse", text: '{"a": 1}', expression: "missing", value: null },
    { name: "json-parse", text: '"text"', expression: "$env", value: "text" },
  ])("$name gives $expression of $text", async ({ name, text, expression, value }) => {
    expect(await read(name, text, expression)).toEqual(value);
  });
});

describe("failures", () => {
  it.each<{ name: Name; text: string; expression?: string; says: string }>([
    { name: "yaml-parse", text: "", says: "it is empty" },
    { name: "yaml-parse", text: "a: : b\n  c: 1", says: 'Cannot parse file "file"' },
    {
      name: "yaml-parse",
      text: "a: 1\n",
      expression: "missing.path",
      says: 'the expression of output "value"',
    },
    {
      name: "yaml-parse",
      text: `a: &a [x,x,x,x,x,x,x,x,x]\n${"bcdefghij".replace(/./g, (c) => `${c}: &${c} [${new Array(9).fill(`*${String.fromCharCode(c.charCodeAt(0) - 1)}`).join(",")}]\n`)}`,
      says: "Cannot parse",
    },
    { name: "json-parse", text: "", says: 'Cannot parse file "file"' },
    { name: "json-parse", text: '{"a": ', says: 'Cannot parse file "file"' },
    { name: "json-parse", text: '{"a": 1}', expression: "invalid()", says: "Cannot evaluate" },
  ])("$name fails on $text", async ({ name, text, expression = "a", says }) => {
    await expect(read(name, text, expression)).rejects.toMatchObject({
      status: "Errored",
      terminal: false,
      message: expect.stringContaining(says),
    });
  });

  it.each<Name>(["yaml-parse", "json-parse"])("%s names an expression that cannot be read", async (name) => {
    await expect(read(name, name === "json-parse" ? "{}" : "{}\n", "(1 + 2")).rejects.toMatchObject({
      status: "Errored",
      message: expect.stringContaining("Cannot read the expression"),
    });
  });

  it.each<Name>(["yaml-parse", "json-parse"])("%s says that there is no file", async (name) => {
    const config = { path: "none", outputs: [{ name: "a", fromExpression: "a" }] };
    await expect(runStep(steps[name], config)).rejects.toThrow("there is no such file");
  });

  const invalid = [
    {},
    { path: "", outputs: [{ name: "a", fromExpression: "a" }] },
    { path: "a", outputs: [] },
    { path: "a", outputs: [{ name: "", fromExpression: "a" }] },
    { path: "a", outputs: [{ name: "a", fromExpression: "" }] },
    { path: "a", outputs: [{ name: "a" }] },
    { outputs: [{ name: "a", fromExpression: "a" }] },
  ];
  it.each(
    (["yaml-parse", "json-parse"] as const).flatMap((name) => invalid.map((config) => ({ name, config }))),
  )("$name refuses the configuration $config", async ({ name, config }) => {
    await expect(runStep(steps[name], config)).rejects.toMatchObject({ kind: "config" });
  });
});
