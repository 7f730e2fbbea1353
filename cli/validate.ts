import { checkResources, type KnownStep } from "#core/resources/check.ts";
import { loadResources, type Source } from "#core/resources/load.ts";
import { type Problem, sortProblems } from "#core/resources/problem.ts";
import { readSources } from "#core/resources/sources.ts";

export interface ValidateOptions {
  /** Files, folders, or `-` for the standard input. */
  paths: readonly string[];
  steps: readonly KnownStep[];
  /** Warnings count as errors. */
  strict?: boolean;
  stdin?: AsyncIterable<Uint8Array | string>;
}

/** What is wrong with the resources at some paths. `valid` when there is no error. */
export interface ValidationReport {
  valid: boolean;
  problems: Problem[];
}

/** The logic of `towpath validate`: loads and checks, and prints nothing. The sources are for rendering. */
export async function validate(
  options: ValidateOptions,
): Promise<{ report: ValidationReport; sources: readonly Source[] }> {
  const { sources, problems: unreadable } = await readSources(options.paths, options.stdin);
  const { resources, remainders, problems: unloadable } = loadResources(sources);
  const checked = checkResources([...resources, ...remainders], { steps: options.steps });
  const found = [...unreadable, ...unloadable, ...checked];
  if (found.length === 0 && resources.length === 0) found.push(nothingFound(options.paths));
  const problems = sortProblems(found, [...options.paths, ...sources.map(({ file }) => file)]).map(
    (problem): Problem => (options.strict ? { ...problem, severity: "error" } : problem),
  );
  return { report: { valid: problems.every(({ severity }) => severity !== "error"), problems }, sources };
}

function nothingFound(paths: readonly string[]): Problem {
  const message = "there is no resource in it";
  return { severity: "warning", file: paths.join(", "), line: 0, column: 0, path: "", message };
}

/** The report as people read it: each problem with its place and the line that it is about, then a count. */
export function renderReport({ problems }: ValidationReport, sources: readonly Source[]): string {
  const linesByFile = new Map(sources.map(({ file, text }) => [file, text.split(/\r?\n/)]));
  const shown = problems.map((problem) => renderProblem(problem, linesByFile.get(problem.file)));
  return [...shown, summary(problems, sources.length)].join("\n\n");
}

function renderProblem(
  { severity, file, line, column, path, message }: Problem,
  lines: string[] | undefined,
): string {
  const place = line === 0 ? file : `${file}:${line}:${column}`;
  const field = path === "" ? "" : ` (${path})`;
  const heading = `${place}: ${severity}: ${printable(message)}${printable(field)}`;
  const text = lines?.[line - 1];
  return text === undefined ? heading : `${heading}\n${codeFrame(text, line, column)}`;
}

const widestLine = 120;

/** The line with a caret under the column; a long one is cut around it. */
function codeFrame(text: string, line: number, column: number): string {
  const cut = Math.max(0, column - 1 - Math.floor(widestLine / 2));
  const from = text.length > widestLine ? cut : 0;
  const excerpt = printable(text.slice(from, from + widestLine).replaceAll("\t", " "));
  const gutter = String(line).length;
  const caret = `${" ".repeat(Math.max(0, column - 1 - from))}^`;
  return `  ${line} | ${excerpt}\n  ${" ".repeat(gutter)} | ${caret}`;
}

/** Without control characters, which could play tricks on a terminal. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu, "�");
}

function summary(problems: readonly Problem[], files: number): string {
  const errors = problems.filter(({ severity }) => severity === "error").length;
  const warnings = problems.length - errors;
  const where = `in ${count(files, "file")}`;
  if (problems.length === 0) return `No problems ${where}.`;
  const parts = [
    ...(errors > 0 ? [count(errors, "error")] : []),
    ...(warnings > 0 ? [count(warnings, "warning")] : []),
  ];
  return `${parts.join(", ")} ${where}.`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
