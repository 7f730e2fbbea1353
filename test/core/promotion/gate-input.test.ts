import { describe, expect, it } from "vitest";
import { inputProblems, schemaProblem, valuesFromText } from "#core/promotion/gate-input.ts";

const formOf = (properties: object, more: object = {}) => ({ type: "object", properties, ...more });

describe("the schema of a form", () => {
  it.each([
    { schema: { type: "string" }, says: /its root must have type: object/ },
    { schema: {}, says: /its root must have type: object/ },
    { schema: formOf({ a: { type: "text" } }), says: /schema is invalid/ },
    { schema: formOf({ a: { $ref: "https://example.com/other.json" } }), says: /can't resolve reference/ },
    { schema: formOf({ a: { pattern: "(" } }), says: /./ },
    { schema: formOf({ a: { type: "string" } }), says: undefined },
    { schema: { $schema: "http://json-schema.org/draft-07/schema#", ...formOf({}) }, says: undefined },
    { schema: { $schema: "http://json-schema.org/draft-06/schema#", ...formOf({}) }, says: undefined },
    {
      schema: {
        $schema: "http://json-schema.org/draft-04/schema#",
        id: "https://example.com/form.json",
        ...formOf({ id: { type: "number", minimum: 0, exclusiveMinimum: true } }),
      },
      says: undefined,
    },
  ])("$schema", ({ schema, says }) => {
    const problem = schemaProblem(schema);
    if (says === undefined) expect(problem).toBeUndefined();
    else expect(problem).toMatch(says);
  });
});

describe("input", () => {
  const draft4 = {
    $schema: "http://json-schema.org/draft-04/schema#",
    ...formOf({ id: { type: "number", minimum: 0, exclusiveMinimum: true } }),
  };
  it.each([
    { schema: formOf({ n: { type: "integer" } }), values: { n: 1 }, problems: [] },
    { schema: formOf({ n: { type: "integer" } }), values: { n: "1" }, problems: ["n must be integer"] },
    {
      schema: formOf({ e: { enum: ["a", 2] } }),
      values: { e: "b" },
      problems: ["e must be one of a, 2"],
    },
    {
      schema: formOf({ m: { type: "string", format: "email" } }),
      values: { m: "nobody" },
      problems: ['m must match format "email"'],
    },
    { schema: formOf({ x: { format: "made-up" } }), values: { x: "anything" }, problems: [] },
    { schema: draft4, values: { id: 0 }, problems: ["id must be > 0"] },
    { schema: draft4, values: { id: 1 }, problems: [] },
    {
      schema: formOf({ list: { type: "array", items: formOf({}, { required: ["a"] }) } }),
      values: { list: [{}] },
      problems: ["list.0 must have required property 'a'"],
    },
  ])("$values against $schema.properties has problems $problems", ({ schema, values, problems }) => {
    expect(inputProblems(schema, values)).toEqual(problems);
  });

  it("is matched with patterns that a long text cannot make slow", () => {
    const schema = formOf({ a: { type: "string", pattern: "^(a+)+$" } });
    expect(inputProblems(schema, { a: `${"a".repeat(50_000)}!` })).toHaveLength(1);
  });
});

describe("values of a form", () => {
  const schema = formOf({
    text: { type: "string" },
    maybe: { type: ["string", "null"] },
    count: { type: "integer" },
    yes: { type: "boolean" },
    level: { enum: ["low", 2] },
    list: { type: "array" },
  });
  it.each<{ texts: Record<string, string>; values: object }>([
    { texts: { text: "true", count: "3", yes: "false" }, values: { text: "true", count: 3, yes: false } },
    { texts: { level: "2", list: '["a"]' }, values: { level: 2, list: ["a"] } },
    { texts: { level: "low", maybe: "1" }, values: { level: "low", maybe: "1" } },
    { texts: { count: "many", list: "[" }, values: { count: "many", list: "[" } },
    { texts: { text: "", count: "" }, values: {} },
    { texts: { other: "1", constructor: "x" }, values: { other: "1", constructor: "x" } },
  ])("$texts become $values", ({ texts, values }) => {
    expect(valuesFromText(schema, Object.entries(texts))).toEqual(values);
  });
});
