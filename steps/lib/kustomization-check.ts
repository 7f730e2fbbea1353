import { readdir, readFile, realpath, stat } from "node:fs/promises";
import path from "node:path";
import { type Document, parseAllDocuments, visit } from "yaml";
import { StepFailure } from "#core/failure.ts";
import { codeOf } from "#core/file-failure.ts";
import type { Workspace } from "#core/workspace.ts";
import { kustomizationNames } from "./kustomization-file.ts";
import { oneReading } from "./kustomization-text.ts";
import { type KustomizedChart, kustomizedChart, refuseOtherSpellings } from "./kustomized-chart.ts";

/** What is never read as a path, by field; an empty list stands for all that is below the field. */
const inert: Readonly<Record<string, readonly string[]>> = {
  apiVersion: [],
  kind: [],
  metadata: [],
  namePrefix: [],
  nameSuffix: [],
  namespace: [],
  commonLabels: [],
  commonAnnotations: [],
  labels: [],
  images: [],
  imageTags: [],
  replicas: [],
  vars: [],
  generatorOptions: [],
  buildMetadata: [],
  sortOptions: [],
  patches: ["patch", "target", "options"],
  patchesJson6902: ["patch", "target", "options"],
  configMapGenerator: ["name", "namespace", "behavior", "literals", "options"],
  secretGenerator: ["name", "namespace", "behavior", "literals", "options", "type"],
  replacements: ["source", "targets"],
  helmCharts: ["repo", "valuesInline"],
  helmChartInflationGenerator: ["chartRepoUrl", "values"],
};

/** Fields whose entries are configurations of Kustomize's own plugins, which name files in turn. */
const pluginFields: readonly string[] = ["generators", "transformers", "validators"];

/** Addresses that Kustomize would fetch from, by HTTP or git. */
const remote = /^(?:git::)?(?:https?:|(?:ssh|file):\/\/|[a-z][a-z0-9-]*@|github\.com[/:])/i;

/**
 * Looks through a kustomization and all that it builds on before Kustomize reads them: nothing in them may
 * lead to a file outside of the workspace, to another server or to helm's own options. What is not known to
 * be harmless counts as a path. Returns the charts that it inflates.
 */
export async function checkKustomization(workspace: Workspace, folder: string): Promise<KustomizedChart[]> {
  const check = new KustomizationCheck(workspace);
  await check.folder(folder);
  return check.charts;
}

class KustomizationCheck {
  readonly charts: KustomizedChart[] = [];
  private readonly workspace: Workspace;
  private readonly seen = new Set<string>();
  private readonly files = new Map<string, Promise<ReadonlySet<string>>>();

  constructor(workspace: Workspace) {
    this.workspace = workspace;
  }

  /** `folder` is free of symbolic links: paths in a kustomization start from where it really is. */
  async folder(folder: string): Promise<void> {
    if (this.seen.has(folder)) return;
    this.seen.add(folder);
    for (const name of kustomizationNames) {
      const file = path.join(folder, name);
      if ((await this.existing(folder, name)) === undefined) continue;
      for (const data of this.parse(await readFile(file), file)) await this.kustomization(folder, data);
    }
  }

  private async kustomization(folder: string, data: unknown): Promise<void> {
    if (!isRecord(data)) return;
    refuseOtherSpellings(data, [...Object.keys(inert), ...pluginFields, "helmGlobals"]);
    for (const [field, value] of Object.entries(data)) {
      const below = Object.hasOwn(inert, field) ? inert[field] : undefined;
      if (below?.length === 0) continue;
      if (pluginFields.includes(field)) await this.plugins(folder, value);
      else await this.paths(folder, textsIn(value, below));
    }
    await this.helm(folder, data);
  }

  private async helm(folder: string, data: Record<string, unknown>): Promise<void> {
    for (const entry of [data.helmCharts, data.helmChartInflationGenerator].flat()) {
      if (isRecord(entry)) {
        this.charts.push(await kustomizedChart(this.workspace, folder, entry, data.helmGlobals));
      }
    }
  }

  /** A kustomization that makes configurations could put paths together that nobody sees here. */
  private async plugins(folder: string, entries: unknown): Promise<void> {
    for (const text of textsIn(entries)) {
      refuseRemote(text);
      const found = await this.existing(folder, text);
      if (found?.isFolder) {
        const what = `"${text}" is a folder, and configurations of plugins must be files`;
        throw refusal(path.relative(this.workspace.root, folder), what);
      }
      const source = found === undefined ? text : await readFile(found.at);
      for (const data of this.parse(source, found?.at ?? folder)) await this.plugin(folder, data);
    }
  }

  private async plugin(folder: string, data: unknown): Promise<void> {
    if (!isRecord(data)) return;
    const isChart = data.kind === "HelmChartInflationGenerator";
    const { metadata, ...rest } = data;
    await this.paths(folder, textsIn(rest, isChart ? inert.helmCharts : []));
    await this.paths(folder, textsIn(metadata));
    if (isChart) this.charts.push(await kustomizedChart(this.workspace, folder, data, data));
  }

  /** Paths, or `key=path`. Folders with a kustomization are looked through, too. */
  private async paths(folder: string, texts: Iterable<string>): Promise<void> {
    const wanted = [...texts].flatMap((text) => {
      const parts = text.split("=");
      return parts.map((_, at) => parts.slice(at).join("="));
    });
    for (const one of wanted) refuseRemote(one);
    // All at once: a kustomization may list hundreds of files.
    const found = await Promise.all(wanted.map((one) => this.existing(folder, one)));
    for (const one of found) if (one?.isFolder) await this.folder(one.at);
  }

  /** What is at a path, links followed, as Kustomize does for folders; refused outside of the workspace. */
  private async existing(
    folder: string,
    wanted: string,
  ): Promise<{ at: string; isFolder: boolean } | undefined> {
    if (wanted === "" || wanted.includes("\0") || wanted.length > 4096) return undefined;
    const at = path.resolve(folder, wanted);
    if (path.dirname(at) === folder && (await this.filesOf(folder)).has(path.basename(at))) {
      return { at, isFolder: false };
    }
    try {
      const real = await realpath(at);
      const { root } = this.workspace;
      if (real === root || real.startsWith(`${root}/`)) {
        return { at: real, isFolder: (await stat(real)).isDirectory() };
      }
    } catch (error) {
      if (["ENOENT", "ENOTDIR", "ENAMETOOLONG", "ELOOP", "EACCES"].includes(codeOf(error))) return undefined;
      throw error;
    }
    throw refusal(path.relative(this.workspace.root, folder), `"${wanted}" is outside of the workspace`);
  }

  /** Names of the regular files in a folder: most of what kustomizations name needs no closer look. */
  private filesOf(folder: string): Promise<ReadonlySet<string>> {
    const known = this.files.get(folder) ?? regularFiles(folder);
    this.files.set(folder, known);
    return known;
  }

  private parse(source: string | Uint8Array, from: string): unknown[] {
    const shown = path.relative(this.workspace.root, from);
    const text = oneReading(source, (why) => refusal(shown, why));
    const documents = parseAllDocuments(text, { version: "1.1", merge: true, logLevel: "silent" });
    return [...documents].map((document) => readDocument(document, shown));
  }
}

async function regularFiles(folder: string): Promise<ReadonlySet<string>> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  return new Set(entries.filter((entry) => entry.isFile()).map(({ name }) => name));
}

function readDocument(document: Document.Parsed, shown: string): unknown {
  const [error] = document.errors;
  if (error) {
    const what = `Cannot build "${shown}": invalid Kustomization: it is not valid YAML: ${error.message}`;
    throw new StepFailure("errored", what, { cause: error });
  }
  // A tag could turn what looks like one text into another.
  visit(document, (_, node) => {
    const { tag } = (node ?? {}) as { tag?: string };
    if (
      typeof tag === "string" &&
      !/^(?:!|tag:yaml\.org,2002:(?:str|int|float|bool|null|map|seq))$/.test(tag)
    ) {
      throw refusal(shown, `the tag ${tag} is not known`);
    }
  });
  return document.toJS({ maxAliasCount: 1000 });
}

/** All texts in a value, keys included, without what is below the fields left out of a list's entries. */
function* textsIn(value: unknown, without: readonly string[] = []): Generator<string> {
  if (typeof value === "string") yield value;
  else if (Array.isArray(value)) for (const entry of value) yield* textsIn(entry, without);
  else if (isRecord(value)) {
    for (const [key, inner] of Object.entries(value)) {
      if (without.includes(key)) continue;
      yield key;
      yield* textsIn(inner);
    }
  }
}

function refuseRemote(text: string): void {
  if (!remote.test(text)) return;
  throw new StepFailure(
    "refused",
    `Cannot build with "${text.slice(0, 200)}": kustomizations may not fetch anything; ` +
      "bring it into the workspace before, with git-clone or http-download",
  );
}

function refusal(shown: string, why: string): StepFailure {
  return new StepFailure("refused", `Cannot build kustomization "${shown || "."}": ${why}`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
