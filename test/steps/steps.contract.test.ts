import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { configIssues } from "#core/resources/checks/step-config.ts";
import { PromotionStep } from "#core/resources/promotion-step.ts";
import { fieldsOf } from "#core/step-fields.ts";
import { builtinSteps } from "#steps/index.ts";
import { dedent, stepPages } from "../../docs/step-pages.ts";

const steps = builtinSteps.map((step) => ({ name: step.name, step }));
const stepsFolder = new URL("../../steps/", import.meta.url);
const docsFolder = new URL("../../docs/steps/", import.meta.url);

describe("the list of steps", () => {
  it("has every file of the folder, in the order of names", () => {
    const files = readdirSync(stepsFolder).filter((file) => file.endsWith(".ts") && file !== "index.ts");
    expect(builtinSteps.map(({ name }) => name)).toEqual(files.map((file) => file.slice(0, -3)).sort());
  });
});

describe.each(steps)("$name", ({ name, step }) => {
  it("is named as templates and files are", async () => {
    expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect((await import(`../../steps/${name}.ts`)).default).toBe(step);
  });

  it("says in one sentence what it does", () => {
    expect(step.summary).toMatch(/^[A-Z][^\n]*\.$/);
  });

  it("describes every field", () => {
    const fields = [...fieldsOf(step.config), ...fieldsOf(step.output, "output")];
    expect(fields.filter(({ description }) => description.length < 3).map(({ path }) => path)).toEqual([]);
  });

  it("refuses what it does not know", () => {
    const takesAnyName = fieldsOf(step.config).some(({ path }) => path === "*");
    const result = step.config.safeParse({ noSuchField: 1 });
    expect(result.success).toBe(takesAnyName);
    if (!takesAnyName) expect(JSON.stringify(result.error?.issues)).toContain("noSuchField");
  });

  it("has a schema that editors understand", () => {
    expect(() => z.toJSONSchema(step.config, { io: "input" })).not.toThrow();
  });

  it("has at least one example", () => {
    expect(step.examples.length).toBeGreaterThan(0);
  });

  it.each(step.examples)("has a valid example: $title", ({ yaml }) => {
    const example = PromotionStep.parse(parse(dedent(yaml)));
    expect(example.uses).toBe(name);
    expect(configIssues(step.config, example.config ?? {})).toEqual([]);
  });
});

describe("the reference of steps", () => {
  it.each([...stepPages(builtinSteps)])("has %s as `npm run docs` writes it", (file, text) => {
    expect(readFileSync(new URL(file, docsFolder), "utf8")).toBe(text);
  });

  it("has no page of a step that is gone", () => {
    expect(readdirSync(docsFolder).sort()).toEqual([...stepPages(builtinSteps).keys()].sort());
  });
});
