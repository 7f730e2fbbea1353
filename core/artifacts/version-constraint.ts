import { RE2JS } from "re2js";
import type { Version } from "#core/artifacts/version.ts";
import { comparePrereleases, compareVersions, parseVersion } from "#core/artifacts/version.ts";

/**
 * A constraint in the grammar of Masterminds' semver library: comparisons joined by spaces or commas (all
 * must hold), groups of them joined by `||` (one must hold), ranges written `1.2 - 1.4`.
 */
export interface VersionConstraint {
  allows(version: Version): boolean;
  /** Why a version is not allowed. */
  refusal(version: Version): string;
}

/** One comparison, such as `>=1.2`. A part left out, or written `x` or `*`, stands for any number. */
interface Comparison {
  test: Test;
  version: Version;
  /** At least one part of the version stands for any number. */
  anyPart: boolean;
  /** The minor part (and with it the patch) stands for any number. */
  anyMinor: boolean;
  /** The patch part alone does. */
  anyPatch: boolean;
}

type Test = (version: Version, comparison: Comparison) => boolean;

const tests: Readonly<Record<string, Test>> = {
  "": equals,
  "=": equals,
  "!=": differs,
  ">": isGreater,
  "<": (version, { version: bound }) => compareVersions(version, bound) < 0,
  ">=": (version, { version: bound }) => compareVersions(version, bound) >= 0,
  "=>": (version, { version: bound }) => compareVersions(version, bound) >= 0,
  "<=": isAtMost,
  "=<": isAtMost,
  "~": isWithinTilde,
  "~>": isWithinTilde,
  "^": isWithinCaret,
};

// Constraints come from users and their grammar is ambiguous about spaces: RE2 takes linear time where
// JavaScript's own expressions could be made to take exponential time.
const operators = "=||!=|>|<|>=|=>|<=|=<|~|~>|\\^";
const versionPattern =
  "v?([0-9|x|X|\\*]+)(\\.[0-9|x|X|\\*]+)?(\\.[0-9|x|X|\\*]+)?" +
  "(-([0-9A-Za-z\\-]+(\\.[0-9A-Za-z\\-]+)*))?(\\+([0-9A-Za-z\\-]+(\\.[0-9A-Za-z\\-]+)*))?";
const onePattern = RE2JS.compile(`^\\s*(${operators})\\s*(${versionPattern})\\s*$`);
const eachPattern = RE2JS.compile(`(${operators})\\s*(${versionPattern})`);
const rangePattern = RE2JS.compile(`\\s*(${versionPattern})\\s+-\\s+(${versionPattern})\\s*`);
const groupPattern = RE2JS.compile(
  `^(\\s*(${operators})\\s*(${versionPattern})\\s*)((?:\\s+|,\\s*)(${operators})\\s*(${versionPattern})\\s*)*$`,
);

const maxLength = 512;
const maxGroups = 32;

/** Throws an Error that quotes the part that cannot be read. */
export function parseVersionConstraint(text: string): VersionConstraint {
  if (text.length > maxLength) throw new Error(`the constraint is longer than ${maxLength} characters`);
  const groupTexts = rewriteRanges(text).split("||");
  if (groupTexts.length > maxGroups) throw new Error(`the constraint has more than ${maxGroups} groups`);
  const groups = groupTexts.map(parseGroup);
  return {
    allows: (version) => groups.some((group) => groupAllows(group, version)),
    refusal: (version) =>
      version.prerelease !== "" && groups.every((group) => !namesPrerelease(group))
        ? `is a prerelease, and the constraint "${text}" asks for releases only`
        : `does not satisfy the constraint "${text}"`,
  };
}

/** `1.2 - 1.4` into `>= 1.2, <= 1.4`. */
function rewriteRanges(text: string): string {
  let rewritten = text;
  for (const [range, from, to] of findAll(rangePattern, text, [0, 1, 11])) {
    rewritten = rewritten.replace(range ?? "", () => `>= ${from}, <= ${to} `);
  }
  return rewritten;
}

function parseGroup(group: string): Comparison[] {
  if (!groupPattern.matcher(group).find()) throw new Error(`improper constraint: ${JSON.stringify(group)}`);
  return findAll(eachPattern, group, [0]).map(([comparison = ""]) => parseComparison(comparison));
}

function parseComparison(text: string): Comparison {
  const [parts] = findAll(onePattern, text, [1, 2, 3, 4, 5, 6]);
  if (parts === undefined) throw new Error(`improper constraint: ${JSON.stringify(text)}`);
  const [operator = "", whole = "", major = "", minor = "", patch = "", prerelease = ""] = parts;
  const anyMajor = isAny(major);
  const anyMinor = !anyMajor && isAny(minor);
  const anyPatch = !anyMajor && !anyMinor && isAny(patch);
  const written = anyMajor
    ? `0.0.0${prerelease}`
    : anyMinor
      ? `${major}.0.0${prerelease}`
      : anyPatch
        ? `${major}${minor}.0${prerelease}`
        : whole;
  const version = parseVersion(written);
  const test = tests[operator];
  if (version === undefined || test === undefined) {
    throw new Error(`improper constraint: ${JSON.stringify(text)}`);
  }
  return { test, version, anyPart: anyMajor || anyMinor || anyPatch, anyMinor, anyPatch };
}

function isAny(part: string): boolean {
  return ["", "x", "X", "*"].includes(part.replace(/^\./, ""));
}

/** The matched groups of each match; a group that took no part is "". */
function findAll(pattern: RE2JS, text: string, groups: readonly number[]): string[][] {
  const matcher = pattern.matcher(text);
  const found: string[][] = [];
  while (matcher.find()) found.push(groups.map((group) => matcher.group(group) ?? ""));
  return found;
}

/** A prerelease is allowed only where the group itself names one. */
function groupAllows(group: readonly Comparison[], version: Version): boolean {
  if (version.prerelease !== "" && !namesPrerelease(group)) return false;
  return group.every((comparison) => comparison.test(version, comparison));
}

function namesPrerelease(group: readonly Comparison[]): boolean {
  return group.some(({ version }) => version.prerelease !== "");
}

/** A straight comparison, unless a part stands for any number: then it is a tilde. */
function equals(version: Version, comparison: Comparison): boolean {
  if (comparison.anyPart) return isWithinTilde(version, comparison);
  return compareVersions(version, comparison.version) === 0;
}

function differs(version: Version, { version: bound, anyMinor, anyPatch }: Comparison): boolean {
  if (anyMinor) return version.major !== bound.major;
  if (!anyPatch) return compareVersions(version, bound) !== 0;
  if (version.major !== bound.major || version.minor !== bound.minor) return true;
  return comparePrereleases(version.prerelease, bound.prerelease) !== 0;
}

/** `>11` asks for 12 or more, `>11.1` for 11.2 or more. */
function isGreater(version: Version, { version: bound, anyMinor, anyPatch }: Comparison): boolean {
  if (anyMinor) return version.major > bound.major;
  if (anyPatch) {
    return version.major > bound.major || (version.major === bound.major && version.minor > bound.minor);
  }
  return compareVersions(version, bound) > 0;
}

/** `<=11` takes all of 11, `<=11.1` all of 11.1. */
function isAtMost(version: Version, { version: bound, anyPart, anyMinor }: Comparison): boolean {
  if (!anyPart) return compareVersions(version, bound) <= 0;
  if (version.major !== bound.major) return version.major < bound.major;
  return anyMinor || version.minor <= bound.minor;
}

/** `~1.2.3` and `~1.2` stay in 1.2, `~1` in 1; `~*` and `~0.0.0` take everything from there on. */
function isWithinTilde(version: Version, { version: bound, anyMinor, anyPatch }: Comparison): boolean {
  if (compareVersions(version, bound) < 0) return false;
  const fromZero = bound.major === 0n && bound.minor === 0n && bound.patch === 0n;
  if (fromZero && !anyMinor && !anyPatch) return true;
  return version.major === bound.major && (anyMinor || version.minor === bound.minor);
}

/** What does not change the leftmost part that is not zero: `^1.2.3` stays in 1, `^0.2.3` in 0.2, `^0.0.3` is it. */
function isWithinCaret(version: Version, { version: bound, anyMinor, anyPatch }: Comparison): boolean {
  if (compareVersions(version, bound) < 0 || version.major !== bound.major) return false;
  if (bound.major > 0n || anyMinor) return true;
  if (version.minor !== bound.minor) return false;
  return bound.minor > 0n || anyPatch || version.patch === bound.patch;
}
