import { formatPath } from "#core/resources/path.ts";
import type { SchemaIssue } from "#core/resources/schema-issues.ts";

/** Fields that Kargo once had and ignores now. Files that still have them load, with a word about it. */
const removedFields: readonly { kind: string; path: RegExp; advice: string }[] = [
  {
    kind: "Warehouse",
    path: /^spec\.subscriptions\[\d+\]\.image\.semverConstraint$/,
    advice: "write it as constraint",
  },
  {
    kind: "Warehouse",
    path: /^spec\.subscriptions\[\d+\]\.image\.gitRepoURL$/,
    advice: "links to sources come from the image's annotations now",
  },
];

/** What to say of an unknown field that an older Kargo knew, or undefined when none did. */
export function removedFieldAdvice(kind: string, issue: SchemaIssue): string | undefined {
  if (issue.at !== "key") return undefined;
  const path = formatPath(issue.path);
  const removed = removedFields.find((field) => field.kind === kind && field.path.test(path));
  return (
    removed && `Kargo has no field "${issue.path.at(-1)}" here any more, it is left out; ${removed.advice}`
  );
}
