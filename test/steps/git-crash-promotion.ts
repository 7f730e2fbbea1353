// Run by git-crash.test.ts in a process of its own, to be killed at any moment and started again: a
// promotion that clones, changes a file, commits and pushes, with a journal that survives.
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { createExec } from "#core/exec.ts";
import type { StepContext, StepDefinition } from "#core/step.ts";
import { openWorkspace } from "#core/workspace-folder.ts";
import gitClone from "#steps/git-clone.ts";
import gitCommit from "#steps/git-commit.ts";
import gitPush from "#steps/git-push.ts";
import gitTag from "#steps/git-tag.ts";

const [root = "", repoURL = "", name = ""] = process.argv.slice(2);
const journalFile = path.join(root, "journal.json");
const journal: Record<string, unknown> = existsSync(journalFile)
  ? JSON.parse(readFileSync(journalFile, "utf8"))
  : {};

async function once<T>(key: string, effect: () => Promise<T>): Promise<T> {
  if (key in journal) return journal[key] as T;
  journal[key] = await effect();
  writeFileSync(`${journalFile}.new`, JSON.stringify(journal));
  renameSync(`${journalFile}.new`, journalFile);
  return journal[key] as T;
}

const workspaceFolder = path.join(root, "workspace");
await mkdir(workspaceFolder, { recursive: true });
const workspace = await openWorkspace(workspaceFolder);
const { signal } = new AbortController();

async function run(alias: string, step: StepDefinition, config: unknown): Promise<void> {
  const ctx = {
    project: "shop",
    promotion: name,
    idempotencyKey: `${name}/${alias}`,
    workspace,
    signal,
    log: { info() {}, warn() {} },
    credentials: { find: async () => undefined },
    exec: createExec({ cwd: workspace.root, signal }),
    once: <T>(key: string, effect: () => Promise<T>) => once(`${alias}/${key}`, effect),
    exclusively: <T>(_key: string, work: () => Promise<T>) => work(),
    async cacheFolder(cache: string) {
      const folder = path.join(path.dirname(root), "cache", cache);
      await mkdir(folder, { recursive: true });
      return folder;
    },
  } as unknown as StepContext;
  // What the engine does: a step whose outcome is on record is not run again.
  const outcome = await once(`${alias} outcome`, () => step.run(step.config.parse(config), ctx));
  console.log(JSON.stringify(outcome));
}

await run("clone", gitClone, { repoURL, checkout: [{ branch: "env/test", create: true, path: "out" }] });
writeFileSync(path.join(workspaceFolder, "out", name), name);
await run("commit", gitCommit, { path: "out", message: name });
await run("tag", gitTag, { path: "out", tag: name, message: name });
await run("push", gitPush, { path: "out" });
await run("push-tag", gitPush, { path: "out", tag: name });
