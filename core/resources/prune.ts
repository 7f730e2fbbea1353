import type { z } from "zod";

/** What is read of a schema to see its shape. */
interface Definition {
  type: string;
  shape?: Record<string, z.ZodType>;
  element?: z.ZodType;
  valueType?: z.ZodType;
  innerType?: z.ZodType;
}

const definitionOf = (schema: z.ZodType) => schema.def as unknown as Definition;

/**
 * Leaves out of a value what says nothing: fields that are null, and optional texts that are empty where
 * the schema wants something definite. So does Kubernetes, for which both mean that the field is not
 * there. Values that the schema leaves open are kept as they are.
 */
export function prune(schema: z.ZodType, value: unknown): unknown {
  const definition = definitionOf(schema);
  switch (definition.type) {
    case "optional":
    case "default":
    case "nullable":
      return prune(definition.innerType as z.ZodType, value);
    case "object":
      return isObject(value) ? pruneObject(definition.shape ?? {}, value) : value;
    case "array":
      return Array.isArray(value) ? value.map((item) => prune(definition.element as z.ZodType, item)) : value;
    case "record":
      return isObject(value) ? pruneRecord(definition.valueType as z.ZodType, value) : value;
    default:
      return value;
  }
}

function pruneObject(
  shape: Record<string, z.ZodType>,
  value: Record<string, unknown>,
): Record<string, unknown> {
  const kept = Object.entries(value).flatMap(([key, item]): [string, unknown][] => {
    const schema = Object.hasOwn(shape, key) ? shape[key] : undefined;
    if (schema === undefined) return [[key, item]];
    return saysNothing(schema, item) ? [] : [[key, prune(schema, item)]];
  });
  return Object.fromEntries(kept);
}

function pruneRecord(schema: z.ZodType, value: Record<string, unknown>): Record<string, unknown> {
  const { type } = definitionOf(schema);
  if (type === "unknown") return value;
  const kept = Object.entries(value).filter(([, item]) => item !== null);
  return Object.fromEntries(kept.map(([key, item]) => [key, prune(schema, item)]));
}

function saysNothing(schema: z.ZodType, value: unknown): boolean {
  if (value === null) return !schema.safeParse(null).success || isOpen(schema);
  return value === "" && schema.safeParse(undefined).success && !schema.safeParse("").success;
}

/** An open field of its own, as `jsonBody`; null there is as good as nothing. */
function isOpen(schema: z.ZodType): boolean {
  const { type, innerType } = definitionOf(schema);
  return type === "unknown" || (innerType !== undefined && isOpen(innerType));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
