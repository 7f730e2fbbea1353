import { Ajv2020 } from "ajv/dist/2020.js";
import type { z } from "zod";
import { isTemplate } from "#core/expressions/templates.ts";
import { holdsExpression } from "#core/resources/checks/expression-facts.ts";
import { type Path, valueAt } from "#core/resources/path.ts";
import { describeIssues, type SchemaIssue } from "#core/resources/schema-issues.ts";

/**
 * What a step's configuration as written breaks of its schema. An expression may turn into anything, so
 * that what is said against a value that holds one does not count.
 */
export function configIssues(schema: z.ZodType, config: Record<string, unknown>): SchemaIssue[] {
  return describeIssues(schema, config, countingIssues(schema, config));
}

/** The same in zod's words. */
export function countingIssues(schema: z.ZodType, config: Record<string, unknown>): z.core.$ZodIssue[] {
  const parsed = schema.safeParse(config);
  return parsed.success ? [] : parsed.error.issues.flatMap((issue) => countingPart(issue, config, []));
}

type ZodIssue = z.core.$ZodIssue;

/** An issue as far as expressions do not excuse it. */
function countingPart(issue: ZodIssue, config: unknown, base: Path): ZodIssue[] {
  const path = [...base, ...(issue.path as (string | number)[])];
  if (crossesExpression(config, path)) return [];
  switch (issue.code) {
    case "invalid_union": {
      const options = issue.errors.map((errors) =>
        errors.flatMap((error) => countingPart(error, config, path)),
      );
      if (options.some((errors) => errors.length === 0) && holdsExpression(valueAt(config, path))) return [];
      return [{ ...issue, errors: options.filter((errors) => errors.length > 0) } as ZodIssue];
    }
    case "custom":
      // Rules over several fields cannot be judged while one of the fields is open.
      return hasOpenField(valueAt(config, path)) ? [] : [issue];
    default:
      return [issue];
  }
}

/** Whether the value at the path, or one that it stands in, is an expression. */
function crossesExpression(config: unknown, path: Path): boolean {
  return path.some((_, index) => isOpen(valueAt(config, path.slice(0, index + 1))));
}

function isOpen(value: unknown): boolean {
  return typeof value === "string" && isTemplate(value);
}

function hasOpenField(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return isOpen(value);
  return Object.values(value).some((field) => hasOpenField(field));
}

/** The same by a JSON Schema, as custom steps declare it. A schema that cannot be read says so once. */
export function jsonSchemaIssues(schema: object, config: Record<string, unknown>): SchemaIssue[] {
  const ajv = new Ajv2020({ allErrors: true, strict: false, validateFormats: false });
  const validate = ajv.compile(schema);
  if (validate(config)) return [];
  return (validate.errors ?? []).flatMap(({ instancePath, message, params, keyword }): SchemaIssue[] => {
    const path = instancePath.split("/").slice(1).map(indexOrKey);
    if (crossesExpression(config, path) || (isCombined(keyword) && holdsExpression(valueAt(config, path))))
      return [];
    if (keyword === "additionalProperties") {
      const key = String(params.additionalProperty);
      return [{ path: [...path, key], at: "key", message: `unknown field "${key}"` }];
    }
    return [{ path, at: "value", message: message ?? "is not valid" }];
  });
}

function indexOrKey(text: string): string | number {
  const key = text.replaceAll("~1", "/").replaceAll("~0", "~");
  return /^\d+$/.test(key) ? Number(key) : key;
}

const isCombined = (keyword: string) => ["anyOf", "oneOf", "allOf", "not", "if"].includes(keyword);
