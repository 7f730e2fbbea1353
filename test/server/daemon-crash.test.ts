import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { type ApiClient, apiPath, createApiClient } from "#cli/api-client.ts";
import { type DaemonProcess, startDaemon } from "#cli/daemon-process.ts";
import type { Promotion } from "#core/resources/promotion.ts";
import { applyAll, manualPipeline, onlyFreight } from "#test/support/manual-freight.ts";

/** All of them where nothing is to be left out; enough to notice a blunder elsewhere. */
const kills = process.env.TOWPATH_REQUIRE === "all" ? 100 : 10;
const stages = ["alpha", "beta", "gamma", "delta"];
const project = "crash";

describe("a daemon that is killed", () => {
  let root: string;
  let daemon: DaemonProcess | undefined;
  afterEach(async () => {
    await daemon?.kill();
    await rm(root, { recursive: true, force: true });
  });

  it(`${kills} times at random moments ends every promotion with exactly one commit`, {
    timeout: 900_000,
  }, async () => {
    root = await mkdtemp(join(tmpdir(), "towpath-crash-"));
    const seed = Number(process.env.TOWPATH_CRASH_SEED ?? Date.now() % 1_000_000);
    console.log(`crash test: seed ${seed} (TOWPATH_CRASH_SEED=${seed} repeats its moments)`);
    const random = createRandom(seed);
    const remote = makeRepository(root);
    const data = join(root, "data");

    daemon = await startDaemon({ data });
    await applyAll(createApiClient(daemon), pipeline(remote));
    for (let count = 0; count < kills; count++) {
      const client = createApiClient(daemon);
      const open = (await promotionsOf(client)).filter(({ status }) => status?.finishedAt === undefined);
      if (open.length < stages.length) await promoteAll(client);
      await sleep(random() * 1500);
      await daemon.kill();
      daemon = await startDaemon({ data });
    }

    const ended = await untilAllEnded(createApiClient(daemon));
    expect(ended.length).toBeGreaterThan(stages.length);
    expect(ended.map(({ status }) => status?.message ?? status?.phase)).toEqual(ended.map(() => "Succeeded"));
    const commits = subjects(remote);
    const names = ended.map(({ metadata }) => metadata.name);
    expect(commits.filter((subject) => subject !== "start").sort()).toEqual(names.sort());

    await daemon.stop();
    const db = new DatabaseSync(join(data, "towpath.db"));
    expect(db.prepare("pragma integrity_check").get()).toEqual({ integrity_check: "ok" });
    db.close();
  });
});

/** A small generator (mulberry32), so that a failure's moments can be repeated. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function git(...args: string[]): string {
  const who = ["-c", "user.name=test", "-c", "user.email=test@example.com"];
  return execFileSync("git", [...who, ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

function makeRepository(root: string): string {
  const remote = join(root, "config.git");
  const clone = join(root, "clone");
  git("init", "-q", "--bare", "-b", "main", remote);
  git("clone", "-q", remote, clone);
  git("-C", clone, "commit", "-q", "--allow-empty", "-m", "start");
  git("-C", clone, "push", "-q", "origin", "HEAD:main");
  return remote;
}

function subjects(remote: string): string[] {
  return git("-C", remote, "log", "--format=%s", "main").trim().split("\n");
}

function pipeline(remote: string): unknown[] {
  const repoURL = `file://${remote}`;
  const steps = [
    { uses: "git-clone", config: { repoURL, checkout: [{ branch: "main", path: "out" }] } },
    {
      uses: "file-write",
      config: { path: "out/${{ ctx.stage }}.txt", contents: "${{ ctx.promotion }}", overwrite: true },
    },
    { uses: "git-commit", config: { path: "out", message: "${{ ctx.promotion }}" } },
    { uses: "git-push", config: { path: "out", maxAttempts: 50 } },
  ];
  return manualPipeline(
    project,
    repoURL,
    stages.map((name) => ({ name, steps })),
  );
}

async function promotionsOf(client: ApiClient): Promise<Promotion[]> {
  return (await client.request<{ items: Promotion[] }>(apiPath("projects", project, "promotions"))).items;
}

async function promoteAll(client: ApiClient): Promise<void> {
  const freight = await onlyFreight(client, project);
  for (const stage of stages) {
    const path = apiPath("projects", project, "stages", stage, "promotions");
    await client.request(path, { method: "POST", body: { freight } });
  }
}

async function untilAllEnded(client: ApiClient): Promise<Promotion[]> {
  for (;;) {
    const all = await promotionsOf(client);
    if (all.every(({ status }) => status?.finishedAt !== undefined)) return all;
    await sleep(100);
  }
}
