import { RE2JS } from "re2js";
import { globToRegex } from "#core/artifacts/glob.ts";
import { StepFailure } from "#core/failure.ts";

/** Tells whether a name or a path is meant. */
export type Pattern = (text: string) => boolean;

/** A regular expression in Go's syntax that need only match a part. `where` names the field for the error. */
export function parseRegex(source: string, where: string): Pattern {
  const compiled = compile(source, where, 0);
  return (text) => compiled.matcher(text).find();
}

/** What Kargo takes as a name: `glob:…`, `regex:…` or `regexp:…`, or else the name itself. */
export function parseNamePattern(pattern: string, where: string): Pattern {
  return parsePrefixed(pattern, where) ?? ((text) => text === pattern);
}

/**
 * What Kargo takes as a path: `glob:…`, `regex:…` or `regexp:…`, or else a file, or a folder that stands
 * for all that is in it.
 */
export function parsePathPattern(pattern: string, where: string): Pattern {
  return parsePrefixed(pattern, where) ?? parseFolder(pattern);
}

function parsePrefixed(pattern: string, where: string): Pattern | undefined {
  const [, prefix, rest = ""] = /^(glob|regexp?):(.*)$/s.exec(pattern) ?? [];
  if (prefix === undefined) return undefined;
  if (prefix !== "glob") return parseRegex(rest, where);
  const regex = globToRegex(rest);
  if (regex === undefined) {
    throw new StepFailure("config", `Cannot read ${where}: ${JSON.stringify(rest)} is no glob pattern`);
  }
  const compiled = compile(regex, where, RE2JS.DOTALL);
  return (text) => compiled.matches(text);
}

function compile(source: string, where: string, flags: number): RE2JS {
  try {
    return RE2JS.compile(source, flags);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new StepFailure("config", `Cannot read ${where}: ${JSON.stringify(source)}: ${why}`, { cause });
  }
}

function parseFolder(pattern: string): Pattern {
  const base = segments(pattern);
  const isAbsolute = pattern.startsWith("/");
  return (text) => {
    const path = segments(text);
    if (isAbsolute !== text.startsWith("/") || path[0] === "..") return false;
    return base.every((segment, at) => path[at] === segment);
  };
}

/** The path's parts with `.` and `..` resolved; what leads out of the top keeps its `..`. */
function segments(path: string): string[] {
  const clean: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "" || segment === ".") continue;
    if (segment === ".." && clean.length > 0 && clean.at(-1) !== "..") clean.pop();
    else clean.push(segment);
  }
  return clean;
}
