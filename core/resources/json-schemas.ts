import { z } from "zod";
import type { KnownStep } from "#core/resources/checks/world.ts";
import type { CustomPromotionStep } from "#core/resources/custom-promotion-step.ts";
import { type KindDefinition, kinds } from "#core/resources/kinds.ts";
import { PromotionStep } from "#core/resources/promotion-step.ts";

type JsonSchema = Record<string, unknown>;

const draft = "http://json-schema.org/draft-07/schema#";
const stepFile = "step.schema.json";

/** A text with an expression in it, which may turn into any value. */
const expression: JsonSchema = { type: "string", pattern: "\\$\\{[{%]" };

/**
 * JSON Schemas for editors, by file name: one for each kind, one for steps, which knows the
 * configurations of the given steps, and `towpath.schema.json`, which tells the kinds apart. CustomPromotionSteps
 * say what they take as JSON Schema.
 */
export function generateSchemas(
  steps: readonly KnownStep[],
  custom: readonly CustomPromotionStep[] = [],
): Map<string, JsonSchema> {
  const files = new Map<string, JsonSchema>();
  for (const definition of kinds.values()) files.set(fileOf(definition), kindSchema(definition));
  files.set(stepFile, stepSchema(steps, custom));
  files.set("towpath.schema.json", anyKindSchema());
  return files;
}

/** A file's text, as it is kept in the repository. */
export function schemaText(schema: JsonSchema): string {
  return `${JSON.stringify(schema, null, 2)}\n`;
}

function fileOf({ kind }: KindDefinition): string {
  return `${kind.replaceAll(/(?<!^)[A-Z]/g, "-$&").toLowerCase()}.schema.json`;
}

/** Nobody writes a status by hand: editors need not know what is in it. */
const status: JsonSchema = {
  type: "object",
  description: "What the daemon found out; it writes this itself.",
};

function kindSchema({ kind, schema }: KindDefinition): JsonSchema {
  const { properties, ...rest } = toJsonSchema(schema, { [stepFile]: PromotionStep });
  const fields = properties as Record<string, JsonSchema>;
  return { ...rest, title: kind, properties: "status" in fields ? { ...fields, status } : fields };
}

/** Switches on `kind`, so that an editor's messages are about the one kind that is meant. */
function anyKindSchema(): JsonSchema {
  const definitions = [...kinds.values()];
  return {
    $schema: draft,
    title: "Towpath resource",
    type: "object",
    required: ["apiVersion", "kind"],
    properties: { kind: { enum: definitions.map(({ kind }) => kind), description: "Kind of the resource." } },
    allOf: definitions.map((definition) => ({
      if: { required: ["kind"], properties: { kind: { const: definition.kind } } },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: { $ref: fileOf(definition) },
    })),
  };
}

function stepSchema(steps: readonly KnownStep[], custom: readonly CustomPromotionStep[]): JsonSchema {
  const { properties, ...step } = toJsonSchema(PromotionStep, {});
  const { uses, ...others } = properties as Record<string, JsonSchema>;
  const known = [...steps.map(({ name }) => name), ...custom.map(({ metadata }) => metadata.name)];
  return {
    ...step,
    title: "Step",
    properties: { uses: { ...uses, anyOf: [{ enum: known }, { type: "string" }] }, ...others },
    allOf: [
      ...steps.flatMap(({ name, config }) => (config ? configRule(name, toJsonSchema(config, {})) : [])),
      ...custom.flatMap(({ metadata, spec }) =>
        spec.configSchema ? configRule(metadata.name, spec.configSchema) : [],
      ),
    ],
  };
}

function configRule(name: string, { $schema: _, ...schema }: JsonSchema): JsonSchema[] {
  const fields = openToExpressions(schema);
  const required =
    Array.isArray(schema.required) && schema.required.length > 0 ? { required: ["config"] } : {};
  return [
    {
      if: { required: ["uses"], properties: { uses: { const: name } } },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: { properties: { config: fields }, ...required },
    },
  ];
}

/** The schema as a user fills it in; `shared` names the files that hold some of its parts. */
function toJsonSchema(schema: z.ZodType, shared: Record<string, z.ZodType>): JsonSchema {
  return z.toJSONSchema(schema, {
    target: "draft-7",
    io: "input",
    unrepresentable: "any",
    override({ zodSchema, jsonSchema }) {
      const file = Object.keys(shared).find((name) => (shared[name] as unknown) === zodSchema);
      if (file === undefined) return;
      for (const key of Object.keys(jsonSchema)) delete jsonSchema[key];
      jsonSchema.$ref = file;
    },
  }) as JsonSchema;
}

/** Lets an expression stand for every value inside of a configuration, but not for the whole of it. */
function openToExpressions(schema: JsonSchema): JsonSchema {
  return Object.fromEntries(
    Object.entries(schema).map(([keyword, value]) => [keyword, openKeyword(keyword, value)]),
  );
}

function openKeyword(keyword: string, value: unknown): unknown {
  switch (keyword) {
    case "properties":
    case "patternProperties":
      return mapValues(value as Record<string, JsonSchema>, orExpression);
    case "additionalProperties":
    case "items":
      if (Array.isArray(value)) return value.map(orExpression);
      return typeof value === "object" ? orExpression(value as JsonSchema) : value;
    case "anyOf":
    case "oneOf":
    case "allOf":
      return (value as JsonSchema[]).map(openToExpressions);
    case "definitions":
      return mapValues(value as Record<string, JsonSchema>, openToExpressions);
    default:
      return value;
  }
}

function orExpression(schema: JsonSchema): JsonSchema {
  const opened = openToExpressions(schema);
  if (isOpenText(opened)) return opened;
  const { description, default: preset, ...rest } = opened;
  return {
    ...(description === undefined ? {} : { description }),
    ...(preset === undefined ? {} : { default: preset }),
    anyOf: [rest, expression],
  };
}

/** Any text is allowed already, or anything at all. */
function isOpenText(schema: JsonSchema): boolean {
  const { description: _, default: __, ...rest } = schema;
  const keywords = Object.keys(rest);
  return keywords.length === 0 || (keywords.length === 1 && rest.type === "string");
}

function mapValues(values: Record<string, JsonSchema>, change: (schema: JsonSchema) => JsonSchema) {
  return Object.fromEntries(Object.entries(values).map(([key, schema]) => [key, change(schema)]));
}
