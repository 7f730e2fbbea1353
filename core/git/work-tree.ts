import { readFile, realpath, stat } from "node:fs/promises";
import path from "node:path";
import { StepFailure } from "#core/failure.ts";
import { type Git, type GitCall, type GitSource, patiently, said } from "#core/git/git.ts";
import { type GitRemote, isInside } from "#core/git/git-url.ts";
import { tagName } from "#core/git/ref-names.ts";
import { parseConfigList, type RepositoryConfig, refuseHarmfulConfig } from "#core/git/repository-config.ts";
import { findSigningKey, type Signer, withSigner } from "#core/git/signing.ts";
import { removeStaleLocks } from "#core/git/stale-locks.ts";
import type { ExecResult } from "#core/step.ts";
import type { Workspace } from "#core/workspace.ts";

/** A checked-out work tree in a workspace, found safe to run git in. */
export interface WorkTree {
  git: Git;
  /** Real path of the folder that was asked for: the work tree's top, or a folder in it. */
  folder: string;
  /** As the user wrote it, for messages. */
  shown: string;
  /** This work tree's own part of the repository. */
  gitDir: string;
  /** The remote repository; undefined when there is none. */
  source: GitSource | undefined;
  signingKey: string | undefined;
  config: RepositoryConfig;
  ceiling: string;
}

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
        .trim()
        .replace(/^fatal: /, ""),
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

/** Runs git in the work tree. Contents that a partial clone left out are fetched on the way. */
export function runIn(
  tree: WorkTree,
  args: readonly string[],
  call: Omit<GitCall, "cwd">,
): Promise<ExecResult> {
  const isPartial = tree.config.has("remote.origin.promisor");
  const source = call.source ?? (isPartial ? tree.source : undefined);
  const env = { GIT_CEILING_DIRECTORIES: tree.ceiling, ...call.env };
  return patiently(() =>
    tree.git.run(args, { ...call, cwd: tree.folder, env, ...(source === undefined ? {} : { source }) }),
  );
}

/** Runs `work` with the user and the signing key that the clone was made with. */
export function asOwner<T>(tree: WorkTree, work: (signer: Signer) => Promise<T>): Promise<T> {
  const { settings, host } = tree.git;
  const signs = tree.config.get("commit.gpgsign") !== "false";
  return withSigner(host, signs ? tree.signingKey : undefined, ({ env, config }) => {
    const user: Record<string, string> = {};
    if (!tree.config.has("user.name")) user["user.name"] = settings.userName;
    if (!tree.config.has("user.email")) user["user.email"] = settings.userEmail;
    return work({ env, config: { ...config, ...user } });
  });
}

export async function addAll(tree: WorkTree): Promise<void> {
  await runIn(tree, ["add", "."], { task: `stage the changes at "${tree.shown}"` });
}

/** Removes all files that git knows, at and below the folder. */
export async function clear(tree: WorkTree): Promise<void> {
  await runIn(tree, ["rm", "-rf", "--quiet", "--ignore-unmatch", "."], { task: `clear "${tree.shown}"` });
}

export async function hasChanges(tree: WorkTree): Promise<boolean> {
  const { stdout } = await runIn(tree, ["status", "--short"], {
    task: `look for changes at "${tree.shown}"`,
  });
  return stdout !== "";
}

/** The commit that HEAD names; undefined on a branch that has none yet. */
export async function findHead(tree: WorkTree): Promise<string | undefined> {
  return findCommit(tree, "HEAD");
}

export async function head(tree: WorkTree): Promise<string> {
  const commit = await findHead(tree);
  if (commit !== undefined) return commit;
  throw new StepFailure(
    "errored",
    `Cannot read the commit at "${tree.shown}": its branch has no commits yet`,
  );
}

/** The commit that a ref or `HEAD` leads to. */
export async function findCommit(tree: WorkTree, ref: string): Promise<string | undefined> {
  const { stdout } = await runIn(tree, ["rev-parse", "--verify", "--quiet", `${ref}^{commit}`], {
    task: `read ${ref} at "${tree.shown}"`,
    exitCodes: [0, 1, 128],
  });
  return stdout.trim() || undefined;
}

/** The checked-out branch; "" when HEAD is detached. */
export async function currentBranch(tree: WorkTree): Promise<string> {
  const { stdout } = await runIn(tree, ["branch", "--show-current"], {
    task: `read the branch at "${tree.shown}"`,
  });
  return stdout.trim();
}

export interface CommitAuthor {
  name: string;
  email: string;
  signingKey?: string;
}

/** Commits what is staged. An author of its own replaces the clone's user and its signing key. */
export async function commit(
  tree: WorkTree,
  message: string,
  author: CommitAuthor | undefined,
): Promise<void> {
  const make = ({ env, config }: Signer) =>
    runIn(tree, ["commit", "--quiet", "--file=-"], {
      task: `commit the changes at "${tree.shown}"`,
      input: message,
      env,
      config,
    });
  if (author === undefined) {
    await asOwner(tree, make);
    return;
  }
  const user = { "user.name": author.name, "user.email": author.email };
  await withSigner(tree.git.host, author.signingKey, ({ env, config }) =>
    make({ env, config: { ...config, ...user } }),
  );
}

/** Makes an annotated tag of HEAD. */
export async function createTag(
  tree: WorkTree,
  name: string,
  message: string,
  force: boolean,
): Promise<void> {
  const options = ["--annotate", "--file=-", ...(force ? ["--force"] : [])];
  await asOwner(tree, ({ env, config }) =>
    runIn(tree, ["tag", ...options, "--end-of-options", tagName(name)], {
      task: `create tag "${name}" at "${tree.shown}"`,
      input: message,
      env,
      config,
    }),
  );
}

/**
 * Initialises and updates all submodules, theirs as well. Credentials go to the repository's own host alone.
 * Their addresses are whatever the repository says, so that none on this machine is taken.
 */
export async function updateSubmodules(tree: WorkTree): Promise<void> {
  await runIn(tree, ["submodule", "--quiet", "update", "--init", "--recursive"], {
    task: `update the submodules at "${tree.shown}"`,
    protocols: tree.git.settings.protocols.filter((protocol) => protocol !== "file"),
    ...(tree.source === undefined ? {} : { source: tree.source }),
  });
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
