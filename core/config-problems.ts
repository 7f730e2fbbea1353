import type { z } from "zod";

type Issue = z.core.$ZodIssue;

/**
 * What is wrong with a step's configuration, a sentence for each field: `(root): path is required`,
 * `checkout.0.branch: …`. The wording of the common ones is what Kargo's users know.
 */
export function configProblems(issues: readonly Issue[], config: unknown): string[] {
  return issues.flatMap((issue) => {
    const name = issue.path.at(-1);
    const value = valueAt(config, issue.path);
    if (value === undefined && name !== undefined && issue.code !== "unrecognized_keys") {
      return [`${place(issue.path.slice(0, -1))}: ${String(name)} is required`];
    }
    const where = place(issue.path);
    return problemsOf(issue, value, where).map((problem) => `${where}: ${problem}`);
  });
}

function problemsOf(issue: Issue, value: unknown, where: string): string[] {
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => `Additional property ${key} is not allowed`);
    case "invalid_type":
      return [`Invalid type. Expected: ${expectedType(issue.expected)}, given: ${typeOf(value)}`];
    case "too_small":
      return [boundProblem(issue.origin, "greater", "least", issue.minimum) ?? issue.message];
    case "too_big":
      return [boundProblem(issue.origin, "less", "most", issue.maximum) ?? issue.message];
    case "invalid_value":
      return [`${where} must be one of the following: ${issue.values.map(quoted).join(", ")}`];
    case "invalid_format":
      return [formatProblem(issue)];
    default:
      return [issue.message];
  }
}

function quoted(value: unknown): string {
  return typeof value === "string" ? `"${value}"` : String(value);
}

/** The pattern, and what the schema has to say of it in words. */
function formatProblem({ format, pattern, message }: z.core.$ZodIssueInvalidStringFormat): string {
  if (format !== "regex" || pattern === undefined) return `Does not match format '${format}'`;
  const source = pattern.replace(/^\/|\/[a-z]*$/g, "").replaceAll("\\/", "/");
  const words = message.startsWith("Invalid string") ? "" : `: ${message}`;
  return `Does not match pattern '${source}'${words}`;
}

function boundProblem(
  origin: string,
  than: "greater" | "less",
  at: "least" | "most",
  bound: number | bigint,
): string | undefined {
  switch (origin) {
    case "string":
      return `String length must be ${than} than or equal to ${bound}`;
    case "array":
      return `Array must have at ${at} ${bound} items`;
    case "int":
    case "number":
      return `Must be ${than} than or equal to ${bound}`;
    default:
      return undefined;
  }
}

function place(path: readonly PropertyKey[]): string {
  return path.length === 0 ? "(root)" : path.map(String).join(".");
}

function valueAt(config: unknown, path: readonly PropertyKey[]): unknown {
  let value = config;
  for (const name of path) {
    if (typeof value !== "object" || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[name];
  }
  return value;
}

/** JSON Schema's names of types, where zod has others. */
function expectedType(expected: string): string {
  if (expected === "int") return "integer";
  return expected === "record" ? "object" : expected;
}

function typeOf(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}
