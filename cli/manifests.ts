import { globSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { type CliIO, readStdin } from "#cli/io.ts";
import { UserError } from "#core/failure.ts";
import { readYaml } from "#core/resources/yaml-document.ts";

/** What `-f` named, as one text for the daemon. */
export interface Manifests {
  text: string;
  /** Where a line of the text stands in its file, as `FILE:LINE`. */
  placeOf(line: number): string;
  /** The first line that says anything. */
  firstLine: number;
}

interface ManifestFile {
  file: string;
  text: string;
}

const separator = "\n---\n";

/** Reads files, all manifests of folders, and standard input for `-`. Throws a UserError for what is no YAML. */
export async function readManifests(paths: readonly string[], io: CliIO): Promise<Manifests> {
  const files: ManifestFile[] = [];
  for (const path of paths) {
    if (path === "-") files.push({ file: "standard input", text: await readStdin(io) });
    else files.push(...filesOf(path).map((file) => ({ file, text: readFileSync(file, "utf8") })));
  }
  refuseBrokenYaml(files);
  const text = files.map((one) => one.text).join(separator);
  return {
    text,
    placeOf: (line) => placeIn(files, line),
    firstLine: readYaml(text)[0]?.locate([]).line ?? 1,
  };
}

/** Before anything is sent, so that no half of a broken file is applied. */
function refuseBrokenYaml(files: readonly ManifestFile[]): void {
  const problems = files.flatMap(({ file, text }) =>
    readYaml(text).flatMap((document) =>
      document.problems
        .filter(({ severity }) => severity === "error")
        .map(({ at, message }) => `${file}:${at.line}:${at.column}: ${message}`),
    ),
  );
  if (problems.length > 0) throw new UserError(problems.join("\n"));
}

function placeIn(files: readonly ManifestFile[], line: number): string {
  let left = line;
  for (const { file, text } of files) {
    // The separator ends the file's last line and takes one of its own.
    const lines = text.split("\n").length;
    if (left <= lines) return `${file}:${left}`;
    left -= lines + 1;
  }
  return `line ${line}`;
}

function filesOf(path: string): string[] {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) throw new UserError(`Cannot read "${path}": there is no such file or folder`);
  if (!stat.isDirectory()) return [path];
  const files = globSync("**/*.{yaml,yml,json}", { cwd: path }).sort();
  if (files.length === 0)
    throw new UserError(`Cannot apply "${path}": it holds no .yaml, .yml or .json file`);
  return files.map((file) => join(path, file));
}
