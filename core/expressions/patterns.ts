import { RE2JS, RE2JSException } from "re2js";

/** Work that one match may cost: characters of the text times instructions of the pattern. */
const maxWork = 20_000_000;
const maxPatternLength = 10_000;
const maxCached = 200;

const cache = new Map<string, RE2JS | string>();

/** Whether a pattern of Go's RE2 matches somewhere in the text; a string says why that cannot be told. */
export function matchPattern(pattern: string, text: string): boolean | string {
  const compiled = compilePattern(pattern);
  if (typeof compiled === "string") return compiled;
  if (compiled.programSize() * text.length > maxWork) {
    return `matching ${text.length} characters with a pattern of this size would take too long`;
  }
  return compiled.matcher(text.toWellFormed()).find();
}

/** What is wrong with a pattern, if anything. */
export function patternProblem(pattern: string): string | undefined {
  const compiled = compilePattern(pattern);
  return typeof compiled === "string" ? compiled : undefined;
}

function compilePattern(pattern: string): RE2JS | string {
  let compiled = cache.get(pattern);
  if (compiled === undefined) {
    compiled = tryCompile(pattern);
    if (cache.size >= maxCached) cache.delete(cache.keys().next().value as string);
    cache.set(pattern, compiled);
  }
  return compiled;
}

function tryCompile(pattern: string): RE2JS | string {
  if (pattern.length > maxPatternLength)
    return `the regular expression is longer than ${maxPatternLength} characters`;
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    if (error instanceof RE2JSException) return error.message;
    throw error;
  }
}
