import type { z } from "zod";

/**
 * What is wrong with a step's configuration, a sentence for each field: `(root): path is required`,
 * `checkout.0.branch: …`. The wording of the common ones is what Kargo's users know.
 */
export function configProblems(error: z.ZodError, config: unknown): string[] {
  return error.issues.flatMap((issue) => problemsOf(issue, config));
}

function problemsOf(issue: z.core.$ZodIssue, config: unknown): string[] {
  const at = place(issue.path);
  const value = valueAt(config, issue.path);
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => `${at}: Additional property ${key} is not allowed`);
    case "invalid_type":
      if (value === undefined && issue.path.length > 0) {
        return [`${place(issue.path.slice(0, -1))}: ${String(issue.path.at(-1))} is required`];
      }
      return [`${at}: Invalid type. Expected: ${expectedType(issue.expected)}, given: ${typeOf(value)}`];
    case "too_small":
      return [
        issue.origin === "string"
          ? `${at}: ${lengthProblem("greater", issue.minimum)}`
          : `${at}: ${issue.message}`,
      ];
    case "too_big":
      return [
        issue.origin === "string"
          ? `${at}: ${lengthProblem("less", issue.maximum)}`
          : `${at}: ${issue.message}`,
      ];
    default:
      return value === undefined && issue.path.length > 0
        ? [`${place(issue.path.slice(0, -1))}: ${String(issue.path.at(-1))} is required`]
        : [`${at}: ${issue.message}`];
  }
}

function place(path: readonly PropertyKey[]): string {
  return path.length === 0 ? "(root)" : path.map(String).join(".");
}

function lengthProblem(than: "greater" | "less", bound: number | bigint): string {
  return `String length must be ${than} than or equal to ${bound}`;
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
  return expected === "int" ? "integer" : expected === "record" ? "object" : expected;
}

function typeOf(value: unknown): string {
  if (value === null || value === undefined) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number";
  return typeof value;
}
