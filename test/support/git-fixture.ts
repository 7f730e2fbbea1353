import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { temporaryFolder } from "#test/support/step-context.ts";

const environment = {
  PATH: process.env.PATH,
  HOME: "/nonexistent",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_AUTHOR_NAME: "Ann",
  GIT_AUTHOR_EMAIL: "ann@example.com",
  GIT_COMMITTER_NAME: "Ann",
  GIT_COMMITTER_EMAIL: "ann@example.com",
};

/** Runs git as a person would and returns what it prints. */
export function git(cwd: string, ...args: string[]): string {
  return execFileSync("git", args, { cwd, env: environment, encoding: "utf8", stdio: "pipe" }).trim();
}

/** Runs git as whom its arguments name. */
export function gitAsNobody(cwd: string, ...args: string[]): string {
  const { PATH, HOME, GIT_CONFIG_GLOBAL, GIT_CONFIG_NOSYSTEM } = environment;
  const env = { PATH, HOME, GIT_CONFIG_GLOBAL, GIT_CONFIG_NOSYSTEM };
  return execFileSync("git", args, { cwd, env, encoding: "utf8", stdio: "pipe" }).trim();
}

/** A bare repository with a branch `main` and a commit for each set of files; a folder to give to git-clone. */
export function bareRepository(commits: readonly Record<string, string>[], at = temporaryFolder()): string {
  const bare = path.join(at, "repo.git");
  git(at, "init", "--quiet", "--bare", "-b", "main", bare);
  git(bare, "config", "http.receivepack", "true");
  git(bare, "config", "uploadpack.allowFilter", "true");
  commits.forEach((files, index) => {
    commitTo(bare, "main", files, `Commit ${index + 1}`);
  });
  return bare;
}

/** Commits files to a branch of a bare repository, as somebody else would; returns the commit. */
export function commitTo(
  bare: string,
  branch: string,
  files: Record<string, string>,
  message = "Change files",
): string {
  const folder = path.join(temporaryFolder(), "clone");
  git(path.dirname(folder), "clone", "--quiet", bare, folder);
  const exists = git(folder, "ls-remote", "--heads", "origin", branch) !== "";
  git(folder, "checkout", "--quiet", ...(exists ? ["-B", branch, `origin/${branch}`] : ["-B", branch]));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }
  git(folder, "add", ".");
  git(folder, "commit", "--quiet", "--allow-empty", "-m", message);
  git(folder, "push", "--quiet", "origin", branch);
  return git(folder, "rev-parse", "HEAD");
}

/** Contents of a file on a branch; throws when it is not there. */
export function fileOn(bare: string, ref: string, name: string): string {
  return git(bare, "show", `${ref}:${name}`);
}

/** Subjects of a branch's commits, newest first. */
export function subjectsOn(bare: string, ref: string): string[] {
  return git(bare, "log", "--format=%s", ref, "--").split("\n");
}
