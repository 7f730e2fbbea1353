import { listItems } from "#core/resources/list-items.ts";
import { parseResource } from "#core/resources/parse-resource.ts";
import { formatPath, type Path } from "#core/resources/path.ts";
import { type Problem, sortProblems } from "#core/resources/problem.ts";
import { formatRef, type Resource, refOf } from "#core/resources/resource.ts";
import { type Position, readYaml, type YamlDocument } from "#core/resources/yaml-document.ts";

/** A text with resources in it: YAML of any number of documents, or JSON. */
export interface Source {
  /** As it is named in problems. */
  file: string;
  text: string;
}

/** A resource together with where it was written. */
export interface LoadedResource {
  resource: Resource;
  file: string;
  /** Where a field's value begins, or with "key" the field's name. */
  locate(path: Path, what?: "key" | "value"): Position;
}

export interface LoadOptions {
  /** Project of resources that name none but need one. */
  defaultProject?: string;
}

/** Reported for each resource; nobody reads more of them, and finding their places takes time. */
const maxIssues = 100;

/**
 * Reads all resources of all sources. Every problem is reported at once, and a bad resource keeps no good
 * one from being loaded; resources with an error are left out. What remains of those without the fields in
 * error is given beside them, so that the rest of it can be checked all the same.
 */
export function loadResources(
  sources: readonly Source[],
  options: LoadOptions = {},
): { resources: LoadedResource[]; remainders: LoadedResource[]; problems: Problem[] } {
  const resources: LoadedResource[] = [];
  const remainders: LoadedResource[] = [];
  const problems: Problem[] = [];
  for (const { file, text } of sources) {
    for (const document of readYaml(text)) {
      problems.push(...document.problems.map((problem) => toProblem(file, problem)));
      if (document.value === undefined || document.value === null) continue;
      for (const item of listItems(document.value)) {
        const { loaded, remainder } = loadOne(file, document, item, options, problems);
        if (loaded) resources.push(loaded);
        if (remainder) remainders.push(remainder);
      }
    }
  }
  const unique = dropDuplicates(resources, problems);
  return {
    resources: unique,
    remainders,
    problems: sortProblems(
      problems,
      sources.map(({ file }) => file),
    ),
  };
}

/** A problem of a loaded resource, with its place. */
export function problemAt(
  { file, locate }: Pick<LoadedResource, "file" | "locate">,
  problem: { severity: Problem["severity"]; path: Path; at?: "key" | "value"; message: string },
): Problem {
  const { severity, path, at, message } = problem;
  return { severity, file, ...locate(path, at), path: formatPath(path), message };
}

function loadOne(
  file: string,
  document: YamlDocument,
  { base, value }: { base: Path; value: unknown },
  options: LoadOptions,
  problems: Problem[],
): { loaded: LoadedResource | undefined; remainder: LoadedResource | undefined } {
  const locate: LoadedResource["locate"] = (path, what) => document.locate([...base, ...path], what);
  const { resource, remainder, issues } = parseResource(value, options.defaultProject);
  problems.push(...issues.slice(0, maxIssues).map((issue) => problemAt({ file, locate }, issue)));
  if (issues.length > maxIssues) {
    const message = `there are ${issues.length - maxIssues} more problems in this resource`;
    problems.push(problemAt({ file, locate }, { severity: "error", path: [], message }));
  }
  return {
    loaded: resource && { resource, file, locate },
    remainder: remainder && { resource: remainder, file, locate },
  };
}

function toProblem(file: string, { severity, at, message }: YamlDocument["problems"][number]): Problem {
  return { severity, file, ...at, path: "", message };
}

/** The first of several resources of one name counts. */
function dropDuplicates(resources: readonly LoadedResource[], problems: Problem[]): LoadedResource[] {
  const seen = new Map<string, LoadedResource>();
  return resources.filter((loaded) => {
    const { resource } = loaded;
    if (resource.metadata.name === "") return true;
    const name = formatRef(refOf(resource));
    const first = seen.get(name);
    if (!first) {
      seen.set(name, loaded);
      return true;
    }
    const path = ["metadata", "name"];
    const { line } = first.locate(path);
    const message = `${name} is there twice; the first is in ${first.file}, line ${line}`;
    problems.push(problemAt(loaded, { severity: "error", path, message }));
    return false;
  });
}
