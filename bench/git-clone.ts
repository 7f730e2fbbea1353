import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { median, milliseconds, report, timed } from "#bench/lib/figures.ts";
import { createExec } from "#core/exec.ts";
import type { Exec, StepContext } from "#core/step.ts";
import { openWorkspace } from "#core/workspace-folder.ts";
import gitClone from "#steps/git-clone.ts";

const commits = 20_000;
const rounds = 5;

/** git-clone of a large repository that the cache knows, beside `git clone`, which starts from nothing each time. */
export async function benchGitClone(): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), "towpath-bench-"));
  try {
    const exec = createExec({ cwd: folder });
    const repoURL = path.join(folder, "repo.git");
    await makeRepository(exec, repoURL);
    const plain: number[] = [];
    const cached: number[] = [];
    const first = await timed(() => cloneByStep(folder, repoURL, "first"));
    for (let round = 0; round < rounds; round++) {
      const target = path.join(folder, `plain-${round}`);
      plain.push(await timed(() => exec("git", ["clone", "--quiet", `file://${repoURL}`, target])));
      cached.push(await timed(() => cloneByStep(folder, repoURL, `cached-${round}`)));
    }
    const floor = median(plain);
    const share = median(cached) / floor;
    report(`git clone of ${commits} commits`, milliseconds(floor));
    report("  git-clone, the first time", milliseconds(first));
    report(
      "  git-clone, from then on",
      milliseconds(median(cached)),
      `${share.toFixed(2)}×, aim: at most 0.3×`,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function cloneByStep(folder: string, repoURL: string, name: string): Promise<void> {
  const root = path.join(folder, name);
  await mkdir(root);
  const workspace = await openWorkspace(root);
  const { signal } = new AbortController();
  const context: Partial<StepContext> = {
    idempotencyKey: name,
    workspace,
    signal,
    exec: createExec({ cwd: root, signal }),
    credentials: { find: async () => undefined },
    log: { info() {}, warn() {} },
    exclusively: (_key, work) => work(),
    async cacheFolder(cache) {
      const at = path.join(folder, "cache", cache);
      await mkdir(at, { recursive: true });
      return at;
    },
  };
  const config = gitClone.config.parse({ repoURL, checkout: [{ branch: "main", path: "out" }] });
  await gitClone.run(config, context as StepContext);
}

/** A history that touches one of 500 files with each commit. */
async function makeRepository(exec: Exec, repoURL: string): Promise<void> {
  await exec("git", ["init", "--quiet", "--bare", "-b", "main", repoURL]);
  const lines: string[] = [];
  for (let commit = 0; commit < commits; commit++) {
    const text = `replicas: ${commit}\nimage: example/app:${Math.random()}\n`;
    lines.push(
      `commit refs/heads/main\ncommitter Ann <ann@example.com> ${1_700_000_000 + commit} +0000\ndata 6\nChange`,
    );
    lines.push(`M 100644 inline env-${commit % 50}/app-${commit % 500}.yaml\ndata ${text.length}\n${text}`);
  }
  await exec("git", ["fast-import", "--quiet"], { cwd: repoURL, input: lines.join("\n") });
  await exec("git", ["gc", "--quiet"], { cwd: repoURL });
}
