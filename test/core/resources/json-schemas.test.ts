import { readdirSync, readFileSync } from "node:fs";
import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";
import { generateSchemas, schemaText } from "#core/resources/json-schemas.ts";
import { kinds } from "#core/resources/kinds.ts";
import { builtinSteps } from "#steps/index.ts";

const folder = new URL("../../../schemas/", import.meta.url);
const generated = generateSchemas(builtinSteps);

describe("the JSON Schemas in schemas/", () => {
  it("are there for each kind, for steps and for all of it, and no others", () => {
    const files = readdirSync(folder).filter((file) => file.endsWith(".schema.json"));
    expect(files.sort()).toEqual([...generated.keys()].sort());
    expect(files).toHaveLength(kinds.size + 2);
  });

  it.each([...generated])("%s is as `npm run schemas` writes it", (file, schema) => {
    const isFresh = readFileSync(new URL(file, folder), "utf8") === schemaText(schema);
    expect(isFresh, "run `npm run schemas` and commit what it writes").toBe(true);
  });
});

describe("an editor", () => {
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: false });
  for (const [file, schema] of generated) ajv.addSchema(schema, file);
  const validate = ajv.getSchema("towpath.schema.json") as NonNullable<ReturnType<Ajv["getSchema"]>>;
  const complaints = (resource: object) =>
    validate(resource)
      ? []
      : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);

  const stage = (...steps: object[]) => ({
    apiVersion: "kargo.akuity.io/v1alpha1",
    kind: "Stage",
    metadata: { name: "test", annotations: {}, managedFields: [] },
    spec: {
      requestedFreight: [{ origin: { kind: "Warehouse", name: "main" }, sources: { direct: true } }],
      promotionTemplate: { spec: { steps } },
    },
  });

  it.each([
    ["a step with its configuration", { uses: "copy", config: { inPath: "a", outPath: "b" } }],
    [
      "an expression in place of any value",
      { uses: "http", config: { url: "${{ vars.url }}", timeout: "${{ vars.t }}" } },
    ],
    ["a step that is not built in", { uses: "scan", config: { any: ["thing"] } }],
    ["a task", { task: { name: "deploy" } }],
  ])("accepts %s", (_, step) => {
    expect(complaints(stage(step))).toEqual([]);
  });

  it.each([
    [
      "an unknown field of a step",
      { uses: "copy", cofnig: {} },
      /steps\/0 must NOT have additional properties/,
    ],
    [
      "an unknown field of a configuration",
      { uses: "copy", config: { inPath: "a", outPath: "b", c: 1 } },
      /config must NOT have additional properties/,
    ],
    [
      "a missing field of a configuration",
      { uses: "copy", config: { inPath: "a" } },
      /config must have required property 'outPath'/,
    ],
    ["a missing configuration", { uses: "copy" }, /steps\/0 must have required property 'config'/],
  ])("is told of %s", (_, step, message) => {
    expect(complaints(stage(step))).toContainEqual(expect.stringMatching(message));
  });

  it("is told of an unknown kind", () => {
    expect(complaints({ apiVersion: "v1", kind: "Stag" })).toContainEqual(
      expect.stringContaining("/kind must be equal to one of"),
    );
  });
});

describe("every field that a user fills in", () => {
  it("is described, in the schemas of the kinds and of their parts", () => {
    const undescribed: string[] = [];
    const plain = new Set(["apiVersion", "kind", "status", "name", "value", "key", "metadata"]);
    const visit = (schema: unknown, path: string) => {
      if (typeof schema !== "object" || schema === null) return;
      const { properties = {}, items, additionalProperties, anyOf = [] } = schema as Record<string, never>;
      for (const [name, field] of Object.entries(
        properties as Record<string, { description?: string; $ref?: string }>,
      )) {
        const at = `${path}.${name}`;
        if (!field.description && !field.$ref && !plain.has(name) && !isOurs(at)) undescribed.push(at);
        visit(field, at);
      }
      for (const inner of [items, additionalProperties, ...(anyOf as never[])]) visit(inner, path);
    };
    // Metadata is Kubernetes' own, and Argo describes its metric providers.
    const isOurs = (at: string) => /\.metadata\.|\.provider\.|\.sigv4|\.oauth2/.test(at);
    for (const [file, schema] of generated)
      if (file !== "step.schema.json" && file !== "towpath.schema.json") visit(schema, file);
    expect(undescribed).toEqual([]);
  });
});
