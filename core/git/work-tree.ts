import { StepFailure } from "#core/failure.ts";
import { type Git, type GitCall, patiently } from "#core/git/git.ts";
import type { GitSource } from "#core/git/git-source.ts";
import { tagName } from "#core/git/ref-names.ts";
import type { RepositoryConfig } from "#core/git/repository-config.ts";
import { type Signer, withSigner } from "#core/git/signing.ts";
import type { ExecResult } from "#core/step.ts";

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
