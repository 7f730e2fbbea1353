import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const execute = promisify(execFile);

/** The environments whose versions the config repository holds. */
export const environments = ["test", "staging", "prod"] as const;

/** Two bare repositories under one folder, and the clone that the demo works on the app in. */
export interface DemoRepositories {
  /** Folder of `app.git` and `config.git`. */
  folder: string;
  /** Commits a change to the app and tags it as a release. */
  release(version: string): Promise<void>;
  /** The highest version that the app repository has a tag for, whoever made it. */
  newestRelease(): Promise<string | undefined>;
  /** The version that an environment has on the config repository's main branch. */
  versionIn(environment: string): Promise<string | undefined>;
  /** The config repository's history, the newest first, a line for each commit. */
  history(): Promise<string>;
}

/** Makes the repositories from nothing. */
export async function createRepositories(root: string): Promise<DemoRepositories> {
  const folder = join(root, "git");
  const appClone = join(root, "app");
  await mkdir(folder, { recursive: true });
  await git(folder, "init", "-q", "--bare", "-b", "main", "app.git");
  await git(folder, "init", "-q", "--bare", "-b", "main", "config.git");
  await git(root, "clone", "-q", join(folder, "app.git"), appClone);
  await fillConfig(root, join(folder, "config.git"));
  return {
    folder,
    async release(version) {
      await writeFile(join(appClone, "app.txt"), `This is ${version}.\n`);
      await git(appClone, "checkout", "-q", "-B", "main");
      await git(appClone, "add", "app.txt");
      await git(appClone, "commit", "-q", "-m", `Release ${version}`);
      await git(appClone, "tag", version);
      await git(appClone, "push", "-q", "origin", "main", version);
    },
    async newestRelease() {
      const tags = await git(join(folder, "app.git"), "tag", "--sort=-version:refname");
      return tags.split("\n")[0];
    },
    async versionIn(environment) {
      const file = await git(join(folder, "config.git"), "show", `main:env/${environment}/app.yaml`);
      return /^version: *"?([^"\s]+)"?/m.exec(file)?.[1];
    },
    history: () => git(join(folder, "config.git"), "log", "--format=%h %s", "main"),
  };
}

async function fillConfig(root: string, remote: string): Promise<void> {
  const clone = join(root, "config");
  await git(root, "clone", "-q", remote, clone);
  await git(clone, "checkout", "-q", "-B", "main");
  for (const environment of environments) {
    await mkdir(join(clone, "env", environment), { recursive: true });
    const yaml = `# What runs in ${environment}; Towpath keeps it up to date.\nversion: none\nreplicas: 1\n`;
    await writeFile(join(clone, "env", environment, "app.yaml"), yaml);
  }
  await git(clone, "add", ".");
  await git(clone, "commit", "-q", "-m", "Describe the environments");
  await git(clone, "push", "-q", "origin", "main");
}

/** Runs git as somebody of the demo's own: the user's configuration has no say in it. */
async function git(cwd: string, ...args: string[]): Promise<string> {
  const who = { NAME: "Demo", EMAIL: "demo@towpath.invalid" };
  const env = {
    PATH: process.env.PATH,
    HOME: cwd,
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_CONFIG_GLOBAL: "/dev/null",
    GIT_AUTHOR_NAME: who.NAME,
    GIT_AUTHOR_EMAIL: who.EMAIL,
    GIT_COMMITTER_NAME: who.NAME,
    GIT_COMMITTER_EMAIL: who.EMAIL,
  };
  const { stdout } = await execute("git", args, { cwd, env });
  return stdout.trimEnd();
}
