import { z } from "zod";

/** One field of a step's configuration or output, for documents and `towpath explain`. */
export interface StepField {
  /** Dotted; `[]` stands for the items of a list: `checkout[].branch`. `*` stands for any name. */
  path: string;
  type: string;
  required: boolean;
  /** As JSON, when the field has a default. */
  default: string | undefined;
  description: string;
}

/** As much of JSON Schema as is told of fields. */
export interface JsonSchema {
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  default?: unknown;
  description?: string;
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  allOf?: JsonSchema[];
  additionalProperties?: boolean | JsonSchema;
}

/** All fields of a schema, those of nested objects and of alternatives included, in the order of the schema. */
export function fieldsOf(schema: z.ZodType, io: "input" | "output" = "input"): StepField[] {
  return fieldsOfJson(z.toJSONSchema(schema, { io, unrepresentable: "any" }) as JsonSchema);
}

/** The same of a JSON Schema. */
export function fieldsOfJson(json: JsonSchema): StepField[] {
  const fields = new Map<string, StepField>();
  // A configuration of any names at all.
  if (!json.properties && json.additionalProperties) {
    const { description = "", additionalProperties: values } = json;
    const type = typeof values === "object" ? typeOf(values) : "anything";
    fields.set("*", { path: "*", type, required: false, default: undefined, description });
  }
  // Alternatives may share fields: each is told once.
  for (const field of objectFields(json, "")) if (!fields.has(field.path)) fields.set(field.path, field);
  return [...fields.values()];
}

function* objectFields(schema: JsonSchema, prefix: string): Generator<StepField> {
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const path = prefix === "" ? name : `${prefix}.${name}`;
    yield {
      path,
      type: typeOf(property),
      required: (schema.required ?? []).includes(name) && property.default === undefined,
      default: property.default === undefined ? undefined : JSON.stringify(property.default),
      description: property.description ?? "",
    };
    yield* objectFields(property, path);
    if (property.items) yield* objectFields(property.items, `${path}[]`);
  }
  for (const alternative of alternativesOf(schema)) yield* objectFields(alternative, prefix);
}

function alternativesOf({ anyOf = [], oneOf = [], allOf = [] }: JsonSchema): JsonSchema[] {
  return [...anyOf, ...oneOf, ...allOf];
}

function typeOf(schema: JsonSchema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.type === "array") return `list of ${schema.items ? typeOf(schema.items) : "anything"}`;
  if (schema.type !== undefined) return [schema.type].flat().join(" or ");
  const types = new Set(alternativesOf(schema).map(typeOf));
  return types.size === 0 ? "anything" : [...types].join(" or ");
}
