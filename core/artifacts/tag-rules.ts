import { parseRegex } from "#core/artifacts/patterns.ts";
import type { Rule } from "#core/artifacts/selection.ts";
import { parseVersion } from "#core/artifacts/version.ts";
import { parseVersionConstraint } from "#core/artifacts/version-constraint.ts";
import { StepFailure } from "#core/failure.ts";

export interface TagFields {
  allowTags?: string | undefined;
  allowTagsRegexes?: readonly string[] | undefined;
  ignoreTags?: readonly string[] | undefined;
  ignoreTagsRegexes?: readonly string[] | undefined;
}

/** The rules of a subscription's fields about tags; the older fields add to the newer ones. */
export function tagRules(fields: TagFields): Rule[] {
  return [ignoredTags(fields), ignoredByRegex(fields), allowedByRegex(fields)];
}

function ignoredTags({ ignoreTags = [] }: TagFields): Rule {
  const ignored = new Set(ignoreTags);
  return (tag) => (ignored.has(tag) ? "is one of ignoreTags" : undefined);
}

function ignoredByRegex({ ignoreTagsRegexes = [] }: TagFields): Rule {
  const ignored = ignoreTagsRegexes.map((source) => ({
    matches: parseRegex(source, "ignoreTagsRegexes"),
    reason: `matches ${JSON.stringify(source)} of ignoreTagsRegexes`,
  }));
  return (tag) => ignored.find(({ matches }) => matches(tag))?.reason;
}

function allowedByRegex({ allowTags, allowTagsRegexes = [] }: TagFields): Rule {
  const allowed = [
    ...allowTagsRegexes.map((source) => parseRegex(source, "allowTagsRegexes")),
    ...(allowTags ? [parseRegex(allowTags, "allowTags")] : []),
  ];
  const reason =
    allowTagsRegexes.length > 0 ? "matches none of allowTagsRegexes" : "does not match allowTags";
  return (tag) => (allowed.length === 0 || allowed.some((matches) => matches(tag)) ? undefined : reason);
}

export interface VersionFields {
  /** Takes only versions with all three numbers; true without it. */
  strict?: boolean | undefined;
  constraint?: string | undefined;
  /** Name of the field with the constraint, for errors. */
  field: string;
}

/** The rules for tags that are to be semantic versions within a constraint. */
export function versionRules({ strict = true, constraint, field }: VersionFields): Rule[] {
  const parsed = constraint ? readConstraint(constraint, field) : undefined;
  return [
    (tag) => {
      if (parseVersion(tag, { strict }) !== undefined) return undefined;
      const isLoose = strict && parseVersion(tag) !== undefined;
      return isLoose ? "is no strict semantic version (strictSemvers)" : "is no semantic version";
    },
    (tag) => {
      const version = parseVersion(tag);
      return version === undefined || parsed === undefined || parsed.allows(version)
        ? undefined
        : parsed.refusal(version);
    },
  ];
}

function readConstraint(constraint: string, field: string) {
  try {
    return parseVersionConstraint(constraint);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new StepFailure("config", `Cannot read ${field} ${JSON.stringify(constraint)}: ${why}`, { cause });
  }
}
