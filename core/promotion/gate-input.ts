import { Ajv, type ErrorObject } from "ajv";
import { RE2JS } from "re2js";
import { z } from "zod";

type JsonSchema = Record<string, unknown>;

/** Patterns come from pipelines and texts from forms: neither may keep the daemon busy. */
const regExp = Object.assign(
  (pattern: string) => {
    const compiled = RE2JS.compile(pattern);
    return { test: (text: string) => compiled.matcher(text).find() };
  },
  { code: "re2" },
);

const formats = Object.fromEntries(
  Object.entries({
    email: z.email(),
    uri: z.url(),
    uuid: z.uuid(),
    date: z.iso.date(),
    time: z.iso.time(),
    "date-time": z.iso.datetime({ offset: true }),
    ipv4: z.ipv4(),
    ipv6: z.ipv6(),
  }).map(([name, schema]) => [name, (text: string) => schema.safeParse(text).success]),
);

/** Checks values against a JSON Schema of draft 4, 6 or 7. Throws when the schema is none. */
function compile(schema: JsonSchema) {
  const { $schema: draft, ...rest } = schema;
  const ajv = new Ajv({ allErrors: true, strict: false, logger: false, formats, code: { regExp } });
  return ajv.compile(String(draft).includes("draft-04") ? fromDraft4(rest) : rest);
}

/** Why a form cannot be made of the schema; undefined when it can. */
export function schemaProblem(schema: JsonSchema): string | undefined {
  if (schema.type !== "object") return "its root must have type: object";
  try {
    compile(schema);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** What is wrong with the values, field by field; nothing when they fit. */
export function inputProblems(schema: JsonSchema, values: Record<string, unknown>): string[] {
  const validate = compile(schema);
  return validate(values) ? [] : (validate.errors ?? []).map(describe);
}

function describe({ instancePath, message = "does not fit", keyword, params }: ErrorObject): string {
  const field = instancePath === "" ? "the input" : instancePath.slice(1).replaceAll("/", ".");
  if (keyword === "additionalProperties") return `${field} must not have "${params.additionalProperty}"`;
  if (keyword === "enum") return `${field} must be one of ${params.allowedValues.map(String).join(", ")}`;
  return `${field} ${message}`;
}

/** Values of a form or of a command line, which are text, as the schema wants them. Empty ones are left out. */
export function valuesFromText(
  schema: JsonSchema,
  texts: Iterable<readonly [name: string, text: string]>,
): Record<string, unknown> {
  const properties = (schema.properties ?? {}) as Record<string, JsonSchema>;
  return Object.fromEntries(
    [...texts]
      .filter(([, text]) => text !== "")
      .map(([name, text]) => [
        name,
        Object.hasOwn(properties, name) ? valueFrom(properties[name], text) : text,
      ]),
  );
}

/** Text that does not read as what is wanted stays text, so that the check of the schema tells about it. */
function valueFrom(property: JsonSchema = {}, text: string): unknown {
  if (Array.isArray(property.enum)) return property.enum.find((each) => textOf(each) === text) ?? text;
  if ([property.type].flat().includes("string")) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** A value as a form shows it. */
export function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

const namedSchemas = new Set(["properties", "patternProperties", "definitions", "dependencies"]);
/** Not schemas: what they hold stays as it is. */
const plainValues = new Set(["enum", "default", "required"]);

/** Draft 4 says in two keywords what later drafts say in one. */
function fromDraft4(schema: unknown): JsonSchema {
  const { id: _, ...given } = schema as JsonSchema;
  const result: JsonSchema = {};
  for (const [keyword, value] of Object.entries(given)) {
    if (plainValues.has(keyword)) result[keyword] = value;
    else if (namedSchemas.has(keyword)) result[keyword] = mapValues(value as JsonSchema, convert);
    else result[keyword] = convert(value);
  }
  for (const [exclusive, bound] of [
    ["exclusiveMinimum", "minimum"],
    ["exclusiveMaximum", "maximum"],
  ] as const) {
    if (typeof given[exclusive] !== "boolean") continue;
    delete result[exclusive];
    if (!given[exclusive]) continue;
    result[exclusive] = given[bound];
    delete result[bound];
  }
  return result;
}

function convert(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(convert);
  return typeof value === "object" && value !== null ? fromDraft4(value) : value;
}

function mapValues(map: JsonSchema, change: (value: unknown) => unknown): JsonSchema {
  return Object.fromEntries(Object.entries(map).map(([name, value]) => [name, change(value)]));
}
