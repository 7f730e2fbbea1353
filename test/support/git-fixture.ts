import { execFileSync } from "node:child_process";
import { appendFileSync } from "node:fs";
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
  git(at, "init", "--quiet", "--bare", "-b", "main", "--template=", bare);
  appendFileSync(
    path.join(bare, "config"),
    "[http]\n\treceivepack = true\n[uploadpack]\n\tallowFilter = true\n",
  );
  const stream = commits.map((files, index) =>
    commitCommand("main", files, `Commit ${index + 1}`, undefined),
  );
  if (commits.length > 0) fastImport(bare, stream.join(""));
  return bare;
}

/** Commits files to a branch of a bare repository, as somebody else would; returns the commit. */
export function commitTo(
  bare: string,
  branch: string,
  files: Record<string, string>,
  message = "Change files",
): string {
  const branches = git(bare, "for-each-ref", "--format=%(refname)", "refs/heads").split("\n");
  const from = [branch, "main"].map((name) => `refs/heads/${name}`).find((ref) => branches.includes(ref));
  fastImport(bare, commitCommand(branch, files, message, from));
  return git(bare, "rev-parse", `refs/heads/${branch}`);
}

function commitCommand(
  branch: string,
  files: Record<string, string>,
  message: string,
  from: string | undefined,
): string {
  const now = Math.floor(Date.now() / 1_000);
  const lines = [
    `commit refs/heads/${branch}`,
    `committer Ann <ann@example.com> ${now} +0000`,
    data(message),
  ];
  if (from !== undefined) lines.push(`from ${from}^0`);
  for (const [name, text] of Object.entries(files)) {
    lines.push(`M 100644 inline ${JSON.stringify(name)}`, data(text));
  }
  return `${lines.join("\n")}\n`;
}

function data(text: string): string {
  return `data ${Buffer.byteLength(text)}\n${text}`;
}

function fastImport(bare: string, stream: string): void {
  execFileSync("git", ["fast-import", "--quiet"], {
    cwd: bare,
    env: environment,
    input: stream,
    stdio: "pipe",
  });
}

/** Contents of a file on a branch; throws when it is not there. */
export function fileOn(bare: string, ref: string, name: string): string {
  return git(bare, "show", `${ref}:${name}`);
}

/** Subjects of a branch's commits, newest first. */
export function subjectsOn(bare: string, ref: string): string[] {
  return git(bare, "log", "--format=%s", ref, "--").split("\n");
}
