import { readFile, realpath, stat } from "node:fs/promises";
import path from "node:path";
import { StepFailure } from "#core/failure.ts";
import { type Git, said } from "#core/git/git.ts";
import type { GitSource } from "#core/git/git-source.ts";
import { type GitRemote, isInside } from "#core/git/git-url.ts";
import { parseConfigList, refuseHarmfulConfig } from "#core/git/repository-config.ts";
import { findSigningKey } from "#core/git/signing.ts";
import { removeStaleLocks } from "#core/git/stale-locks.ts";
import type { WorkTree } from "#core/git/work-tree.ts";
import type { Workspace } from "#core/workspace.ts";

/**
 * Finds the repository behind an address, with its credentials, or refuses it. The address comes from the
 * workspace and may be anybody's: credentials must be those of this very address.
 */
export type FindSource = (address: string, insecureSkipTLSVerify: boolean) => Promise<GitSource>;

/**
 * Opens the work tree that `shown` lies in. Everything of it must lie in the workspace, and its settings
 * must be harmless: files of a workspace may come from anywhere.
 */
export async function openWorkTree(
  git: Git,
  workspace: Workspace,
  shown: string,
  findSource: FindSource,
): Promise<WorkTree> {
  const folder = await workspace.resolve(shown);
  if (!(await isFolder(folder))) throw noWorkTree(shown, "there is no such folder");
  const ceiling = path.dirname(workspace.root);
  const call = { cwd: folder, env: { GIT_CEILING_DIRECTORIES: ceiling } };

  const where = await git.run(
    ["rev-parse", "--absolute-git-dir", "--path-format=absolute", "--git-common-dir", "--show-toplevel"],
    { ...call, task: `find the Git work tree at "${shown}"`, exitCodes: [0, 128] },
  );
  if (where.exitCode !== 0)
    throw noWorkTree(
      shown,
      said(where)
        .replace(/^fatal: /, "")
        .trim(),
    );
  const [gitDir = "", commonDir = "", top = ""] = where.stdout.split("\n");
  for (const part of [gitDir, commonDir, top]) await refuseOutside(workspace, shown, part);
  await refuseForeignObjects(workspace, shown, commonDir);

  const config = await readConfig(git, folder, call.env);
  refuseHarmfulConfig(shown, config);

  const address = config.get("remote.origin.url");
  const insecure = config.get("http.sslverify") === "false";
  const source = address === undefined ? undefined : await findSource(address, insecure);
  await removeStaleLocks(gitDir);
  const signingKey = await findSigningKey(path.dirname(commonDir));
  return { git, folder, shown, gitDir, source, signingKey, config, ceiling };
}

/**
 * Refuses a remote repository that lies in the workspace and has settings that are not harmless: git runs
 * on both ends of a local fetch or push, and steps may have written the other end.
 */
export async function refuseHarmfulRemote(git: Git, remote: GitRemote, workspaceRoot: string): Promise<void> {
  if (remote.protocol !== "file" || !(await isFolder(remote.url))) return;
  const folder = await realpath(remote.url);
  if (isInside(workspaceRoot, folder)) refuseHarmfulConfig(remote.url, await readConfig(git, folder, {}));
}

async function readConfig(
  git: Git,
  folder: string,
  env: Record<string, string>,
): Promise<Map<string, string>> {
  const task = `read the configuration of the Git repository at "${folder}"`;
  const list = await git.run(["config", "--list", "--show-scope", "-z"], { cwd: folder, env, task });
  return parseConfigList(list.stdout);
}

async function refuseOutside(workspace: Workspace, shown: string, part: string): Promise<void> {
  if (isInside(workspace.root, await realpath(part))) return;
  throw new StepFailure(
    "refused",
    `Cannot use the Git work tree at "${shown}": its repository is outside of the workspace`,
  );
}

/** Objects borrowed from a repository elsewhere could be another project's. */
async function refuseForeignObjects(workspace: Workspace, shown: string, commonDir: string): Promise<void> {
  const objects = path.join(commonDir, "objects");
  let alternates: string;
  try {
    alternates = await readFile(path.join(objects, "info/alternates"), "utf8");
  } catch {
    return;
  }
  for (const line of alternates.split("\n").filter(Boolean)) {
    if (isInside(workspace.root, path.resolve(objects, line))) continue;
    throw new StepFailure(
      "refused",
      `Cannot use the Git repository at "${shown}": it borrows objects from "${line}", outside of the workspace`,
    );
  }
}

async function isFolder(file: string): Promise<boolean> {
  try {
    return (await stat(file)).isDirectory();
  } catch {
    return false;
  }
}

function noWorkTree(shown: string, why: string): StepFailure {
  return new StepFailure("errored", `Cannot use "${shown}" as a Git work tree: ${why}`);
}
