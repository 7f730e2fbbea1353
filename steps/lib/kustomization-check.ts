import { readdir, readFile, realpath, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { type Document, parseAllDocuments, visit } from "yaml";
import { StepFailure } from "#core/failure.ts";
import { codeOf } from "#core/file-failure.ts";
import type { Workspace } from "#core/workspace.ts";
import {
  belowInert,
  isInert,
  isKeyed,
  isRecord,
  knownFields,
  pluginFields,
  readings,
  remoteFields,
  textsIn,
} from "./kustomization-fields.ts";
import { kustomizationNames } from "./kustomization-file.ts";
import { rewriteEntries } from "./kustomization-rewrite.ts";
import { oneReading } from "./kustomization-text.ts";
import { type KustomizedChart, kustomizedChart, refuseOtherSpellings } from "./kustomized-chart.ts";
import type { RemoteBases } from "./remote-bases.ts";
import { isRemote } from "./remote-entry.ts";
import { stageTree } from "./staged-tree.ts";

/** What Kustomize is to build. */
export interface CheckedKustomization {
  charts: KustomizedChart[];
  /**
   * Where it is: the folder itself, unless something was fetched. Then a stand-in for the workspace is made at
   * `stage`, in which entries lead to what was fetched. To be called once the charts are there.
   */
  place(stage: string): Promise<string>;
}

/**
 * Looks through a kustomization and all that it builds on before Kustomize reads them: nothing in them may
 * lead to a file outside of the workspace or of the repository that they come from, or to helm's own options.
 * What is not known to be harmless counts as a path. What is to be fetched is fetched, and looked through too.
 */
export async function checkKustomization(
  workspace: Workspace,
  folder: string,
  remotes: RemoteBases,
): Promise<CheckedKustomization> {
  const check = new KustomizationCheck(workspace, remotes);
  await check.folder(folder);
  return {
    charts: check.charts,
    place: async (stage) => {
      if (remotes.isEmpty) return folder;
      await stageTree(workspace.root, stage, check.workspaceFolders(), await check.rewrite(stage));
      await check.refuseWaysOut(stage);
      return path.join(stage, path.relative(workspace.root, folder));
    },
  };
}

/** Where an entry has been fetched to, by the entry. */
type Fetched = Map<string, string>;

class KustomizationCheck {
  readonly charts: KustomizedChart[] = [];
  private readonly workspace: Workspace;
  private readonly remotes: RemoteBases;
  /** Roots of what was fetched, and the entries that named them. */
  private readonly roots = new Map<string, string>();
  /** Of each kustomization that has entries which were fetched. */
  private readonly fetched = new Map<string, Fetched>();
  /** Of what is named and is not there. */
  private readonly waysOut: { folder: string; wanted: string }[] = [];
  private readonly seen = new Set<string>();
  private readonly files = new Map<string, Promise<ReadonlySet<string>>>();

  constructor(workspace: Workspace, remotes: RemoteBases) {
    this.workspace = workspace;
    this.remotes = remotes;
  }

  workspaceFolders(): string[] {
    return [...this.seen].filter((folder) => this.rootOf(folder) === this.workspace.root);
  }

  /** Changes what was fetched in its place; returns the other kustomizations that get another text. */
  async rewrite(stage: string): Promise<Map<string, string>> {
    const texts = new Map<string, string>();
    for (const [file, fetched] of this.fetched) {
      const folder = path.dirname(file);
      const isOurs = this.rootOf(folder) === this.workspace.root;
      const from = this.standIn(folder, stage);
      const replaced = new Map([...fetched].map(([entry, at]) => [entry, path.relative(from, at)]));
      const text = rewriteEntries((await readFile(file)).toString("utf8"), replaced, isInert);
      for (const data of this.parse(Buffer.from(text), file)) refuseRest(this.shown(folder), data);
      if (isOurs) texts.set(file, text);
      else {
        await rm(file);
        await writeFile(file, text);
      }
    }
    return texts;
  }

  private rootOf(folder: string): string {
    for (const root of this.roots.keys()) if (isWithin(root, folder)) return root;
    return this.workspace.root;
  }

  /** Where Kustomize finds a folder. */
  private standIn(folder: string, stage: string): string {
    const { root } = this.workspace;
    return this.rootOf(folder) === root ? path.join(stage, path.relative(root, folder)) : folder;
  }

  /** A folder as people know it. */
  private shown(at: string): string {
    const root = this.rootOf(at);
    const inside = path.relative(root, at);
    const entry = this.roots.get(root);
    return entry === undefined ? inside : `${entry} (${inside || "."})`;
  }

  /** `folder` is free of symbolic links: paths in a kustomization start from where it really is. */
  async folder(folder: string): Promise<void> {
    if (this.seen.has(folder)) return;
    this.seen.add(folder);
    for (const name of kustomizationNames) {
      const file = path.join(folder, name);
      if ((await this.existing(folder, name)) === undefined) continue;
      for (const data of this.parse(await readFile(file), file)) await this.kustomization(folder, file, data);
    }
  }

  private async kustomization(folder: string, file: string, data: unknown): Promise<void> {
    if (!isRecord(data)) return;
    refuseOtherSpellings(data, knownFields);
    for (const [field, value] of Object.entries(data)) {
      if (isInert([field])) continue;
      if (pluginFields.includes(field)) await this.plugins(folder, value);
      else {
        const texts = await this.fetch(file, field, textsIn(value, belowInert(field)));
        await this.paths(folder, texts, isKeyed(field));
      }
    }
    await this.helm(folder, data);
  }

  /** Fetches what is to be fetched, and looks through it. Returns the other texts. */
  private async fetch(file: string, field: string, texts: Iterable<string>): Promise<string[]> {
    const nature = remoteFields.get(field);
    const others: string[] = [];
    for (const text of texts) {
      const entry = readings(text, isKeyed(field))
        .slice(0, 2)
        .find((one) => isRemote(one));
      if (nature === undefined || entry === undefined) {
        others.push(text);
        continue;
      }
      const { at, isFolder, root } = await this.remotes.fetch(entry, nature);
      this.roots.set(root, entry);
      this.fetched.set(file, (this.fetched.get(file) ?? new Map()).set(entry, at));
      if (isFolder) await this.folder(at);
    }
    return others;
  }

  private async helm(folder: string, data: Record<string, unknown>): Promise<void> {
    for (const entry of [data.helmCharts, data.helmChartInflationGenerator].flat()) {
      if (isRecord(entry)) await this.chart(folder, entry, data.helmGlobals);
    }
  }

  private async chart(folder: string, entry: Record<string, unknown>, globals: unknown): Promise<void> {
    if (this.rootOf(folder) !== this.workspace.root) {
      const why =
        "only kustomizations of the workspace may inflate Helm charts; bring it there with git-clone";
      throw refusal(this.shown(folder), why);
    }
    this.charts.push(await kustomizedChart(this.workspace, folder, entry, globals));
  }

  /** A kustomization that makes configurations could put paths together that nobody sees here. */
  private async plugins(folder: string, entries: unknown): Promise<void> {
    for (const text of textsIn(entries)) {
      refuseRemote(text);
      const found = await this.existing(folder, text);
      if (found?.isFolder) {
        const what = `"${text}" is a folder, and configurations of plugins must be files`;
        throw refusal(this.shown(folder), what);
      }
      const source = found === undefined ? text : await readFile(found.at);
      for (const data of this.parse(source, found?.at ?? folder)) await this.plugin(folder, data);
    }
  }

  private async plugin(folder: string, data: unknown): Promise<void> {
    if (!isRecord(data)) return;
    // Kustomize takes a list for what is in it.
    if (/List$/.test(String(data.kind)) || Object.keys(data).some((key) => /^items$/i.test(key))) {
      throw refusal(this.shown(folder), "configurations of plugins must not stand in a list");
    }
    const isChart = data.kind === "HelmChartInflationGenerator";
    const { metadata, ...rest } = data;
    await this.paths(folder, textsIn(rest, isChart ? belowInert("helmCharts") : []));
    await this.paths(folder, textsIn(metadata));
    if (isChart) await this.chart(folder, data, data);
  }

  /** Paths, or `key=path`. Folders with a kustomization are looked through, too. */
  private async paths(folder: string, texts: Iterable<string>, isKeyed = true): Promise<void> {
    const wanted = [...texts].flatMap((text) => {
      readings(text, isKeyed).forEach(refuseRemote);
      return readings(text, true);
    });
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
      if (isWithin(this.rootOf(folder), real)) {
        return { at: real, isFolder: (await stat(real)).isDirectory() };
      }
    } catch (error) {
      if (!["ENOENT", "ENOTDIR", "ENAMETOOLONG", "ELOOP", "EACCES"].includes(codeOf(error))) throw error;
      if (!isWithin(this.rootOf(folder), at)) this.waysOut.push({ folder, wanted });
      return undefined;
    }
    throw this.outside(folder, wanted);
  }

  /** A way out that leads nowhere when it is looked at may lead somewhere once all is in its place. */
  async refuseWaysOut(stage: string): Promise<void> {
    for (const { folder, wanted } of this.waysOut) {
      const at = path.resolve(this.standIn(folder, stage), wanted);
      if ((await stat(at).catch(() => undefined)) !== undefined) throw this.outside(folder, wanted);
    }
  }

  private outside(folder: string, wanted: string): StepFailure {
    const what = this.roots.has(this.rootOf(folder)) ? "its repository" : "the workspace";
    return refusal(this.shown(folder), `"${wanted}" is outside of ${what}`);
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

function refuseRemote(text: string): void {
  if (!isRemote(text)) return;
  throw new StepFailure(
    "refused",
    `Cannot build with "${text.slice(0, 200)}": nothing can be fetched here; ` +
      "bring it into the workspace before, with git-clone or http-download",
  );
}

/** Kustomize would ask for itself what no rewriting has found, even on this machine. */
function refuseRest(shown: string, data: unknown): void {
  if (!isRecord(data)) return;
  for (const [field, value] of Object.entries(data)) {
    if (isInert([field]) || pluginFields.includes(field)) continue;
    for (const text of textsIn(value, belowInert(field))) {
      if (!readings(text, isKeyed(field)).some(isRemote)) continue;
      throw refusal(shown, `write "${text.slice(0, 200)}" where it is used, not as an alias`);
    }
  }
}

function isWithin(root: string, at: string): boolean {
  return at === root || at.startsWith(`${root}/`);
}

function refusal(shown: string, why: string): StepFailure {
  return new StepFailure("refused", `Cannot build kustomization "${shown || "."}": ${why}`);
}
