import type { z } from "zod";
import { didYouMean } from "#core/nearest-name.ts";
import { formatPath, type Path, valueAt } from "#core/resources/path.ts";

/** One thing that a value does not keep of what its schema asks. */
export interface SchemaIssue {
  path: Path;
  /** Whether the field's name is wrong, rather than its value. */
  at: "key" | "value";
  message: string;
}

type ZodIssue = z.core.$ZodIssue;

/** Zod's issues in our words: what stands there, what was expected, the nearest valid name. */
export function describeIssues(
  schema: z.ZodType,
  value: unknown,
  issues: readonly ZodIssue[],
): SchemaIssue[] {
  return issues.flatMap((issue) => describeIssue(schema, value, issue, []));
}

function describeIssue(schema: z.ZodType, root: unknown, issue: ZodIssue, base: Path): SchemaIssue[] {
  const path: Path = [...base, ...(issue.path as (string | number)[])];
  const value = valueAt(root, path);
  const at = "value";
  switch (issue.code) {
    case "unrecognized_keys": {
      const known = fieldsAt(schema, path);
      return issue.keys.map((key) => ({
        path: [...path, key],
        at: "key",
        message: unknownField(key, path, known),
      }));
    }
    case "invalid_type":
      if (value === undefined) return [missingField(path)];
      return [
        { path, at, message: `${quoteHint(issue.expected, value) ?? wrongType(issue.expected, value)}` },
      ];
    case "invalid_value":
      if (value === undefined) return [missingField(path, alternatives(issue.values))];
      return [{ path, at, message: wrongChoice(value, issue.values) }];
    case "invalid_union":
      return describeUnion(schema, root, issue, path);
    case "too_small":
    case "too_big":
      return [{ path, at, message: outOfBounds(issue, value) }];
    case "invalid_format":
      return [{ path, at, message: `${show(value)} is not valid: ${formatMessage(issue)}` }];
    case "invalid_key":
    case "invalid_element":
      return issue.issues.flatMap((inner) => describeIssue(schema, root, inner, path));
    default:
      return [{ path, at, message: issue.message }];
  }
}

function unknownField(key: string, parent: Path, known: readonly string[]): string {
  const where = parent.length === 0 ? "" : ` in ${formatPath(parent)}`;
  const advice = didYouMean(key, known) || listOf(known);
  return `unknown field "${key}"${where}${advice}`;
}

function listOf(known: readonly string[]): string {
  if (known.length === 0) return "";
  return `; known fields: ${known.slice(0, 12).join(", ")}${known.length > 12 ? ", …" : ""}`;
}

function missingField(path: Path, expected?: string): SchemaIssue {
  const name = path.at(-1);
  const what = typeof name === "number" ? `entry ${name}` : `required field "${name}"`;
  const hint = expected === undefined ? "" : `; expected ${expected}`;
  return { path, at: "value", message: `${what} is missing${hint}` };
}

/** A number or a boolean where text belongs is nearly always a value without its quotes. */
function quoteHint(expected: string, value: unknown): string | undefined {
  if (expected !== "string" || !(typeof value === "number" || typeof value === "boolean")) return undefined;
  return `expected text, found the ${typeof value} ${value}; put it in quotes`;
}

const typeNames: Record<string, string> = {
  string: "text",
  int: "a whole number",
  number: "a number",
  boolean: "true or false",
  object: "an object",
  record: "an object",
  array: "a list",
};

function wrongType(expected: string, value: unknown): string {
  return `expected ${typeNames[expected] ?? expected}, found ${describeValue(value)}`;
}

function describeValue(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  return typeof value === "string" ? `the text ${show(value)}` : show(value);
}

function wrongChoice(value: unknown, values: readonly unknown[]): string {
  const names = values.filter((choice): choice is string => typeof choice === "string" && choice !== "");
  const advice = typeof value === "string" && names.length > 1 ? didYouMean(value, names) : "";
  return `${show(value)} is not valid; expected ${alternatives(values)}${advice}`;
}

function alternatives(values: readonly unknown[]): string {
  const shown = values.filter((value) => value !== "").map((value) => JSON.stringify(value));
  return shown.length > 1 ? `${shown.slice(0, -1).join(", ")} or ${shown.at(-1)}` : (shown[0] ?? "nothing");
}

function outOfBounds(issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig, value: unknown): string {
  const small = issue.code === "too_small";
  const bound = small ? issue.minimum : issue.maximum;
  const unit = issue.origin === "string" ? " characters" : issue.origin === "array" ? " entries" : "";
  if (small && bound === 1 && unit !== "") {
    return issue.origin === "string" ? "must not be empty" : "needs at least one entry";
  }
  const limit = small ? "at least" : "at most";
  return unit === ""
    ? `${show(value)} is not valid; expected ${limit} ${bound}`
    : `needs ${limit} ${bound}${unit}`;
}

function formatMessage(issue: z.core.$ZodIssueInvalidStringFormat): string {
  return issue.format === "regex" || issue.message.startsWith("expected ")
    ? issue.message
    : `expected ${issue.format}`;
}

/** Told by the alternative that the value comes nearest to. */
function describeUnion(
  schema: z.ZodType,
  root: unknown,
  issue: z.core.$ZodIssueInvalidUnion,
  path: Path,
): SchemaIssue[] {
  const types = issue.errors.map(([first]) =>
    first?.path.length === 0 && first.code === "invalid_type" ? first.expected : undefined,
  );
  if (types.length > 0 && types.every((type) => type !== undefined)) {
    const names = types.map((type) => typeNames[type] ?? type);
    const found = describeValue(valueAt(root, path));
    return [{ path, at: "value", message: `expected ${names.join(" or ")}, found ${found}` }];
  }
  const [nearest] = issue.errors.toSorted((a, b) => remoteness(a) - remoteness(b));
  if (nearest === undefined) return [{ path, at: "value", message: issue.message }];
  return nearest.flatMap((inner) => describeIssue(schema, root, inner, path));
}

function remoteness(issues: readonly ZodIssue[]): number {
  const wrongFromTheStart = issues.some(({ path, code }) => path.length === 0 && code === "invalid_type");
  return issues.length + (wrongFromTheStart ? 1000 : 0);
}

/** The fields that an object may have at a path. */
function fieldsAt(schema: z.ZodType, path: Path): string[] {
  return [...new Set(objectsAt(schema, path).flatMap((shape) => Object.keys(shape)))];
}

function objectsAt(schema: z.ZodType, path: Path): Record<string, z.ZodType>[] {
  const definition = schema.def as unknown as {
    type: string;
    shape?: Record<string, z.ZodType>;
    element?: z.ZodType;
    valueType?: z.ZodType;
    innerType?: z.ZodType;
    in?: z.ZodType;
    left?: z.ZodType;
    right?: z.ZodType;
    options?: z.ZodType[];
    getter?: () => z.ZodType;
  };
  const [key, ...rest] = path;
  const { shape, element, valueType, innerType, options, getter } = definition;
  if (innerType) return objectsAt(innerType, path);
  if (definition.in) return objectsAt(definition.in, path);
  if (getter) return objectsAt(getter(), path);
  const several =
    options ?? (definition.left && definition.right ? [definition.left, definition.right] : undefined);
  if (several) return several.flatMap((option) => objectsAt(option, path));
  if (key === undefined) return shape ? [shape] : [];
  const next = shape ? shape[key] : (element ?? valueType);
  return next ? objectsAt(next, rest) : [];
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}…` : text;
}
