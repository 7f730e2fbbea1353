import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { apiPath, createApiClient } from "#cli/api-client.ts";
import { type DaemonProcess, startDaemon } from "#cli/daemon-process.ts";
import type { Promotion } from "#core/resources/promotion.ts";
import { bareRepository, git } from "#test/support/git-fixture.ts";
import { applyAll, manualPipeline, onlyFreight } from "#test/support/manual-freight.ts";

const project = "shop";
/** All of them where nothing is to be left out; enough for them to meet elsewhere. */
const count = process.env.TOWPATH_REQUIRE === "all" ? 50 : 16;
const stages = Array.from({ length: count }, (_, index) => `stage-${index}`);

describe(`${count} stages that push to one branch at once`, () => {
  let root: string;
  let daemon: DaemonProcess | undefined;
  afterEach(async () => {
    await daemon?.kill();
    await rm(root, { recursive: true, force: true });
  });

  it("all arrive, each with one commit, and none is lost", { timeout: 120_000 }, async () => {
    root = await mkdtemp(join(tmpdir(), "towpath-pushes-"));
    const repository = bareRepository([{ start: "1" }], root);
    const stepsOf = (stage: string) => [
      { uses: "git-clone", config: { repoURL: repository, checkout: [{ branch: "main", path: "./out" }] } },
      { uses: "file-write", config: { path: `./out/${stage}`, contents: stage } },
      { uses: "git-commit", config: { path: "./out", message: stage } },
      { uses: "git-push", config: { path: "./out" } },
    ];
    daemon = await startDaemon({ data: join(root, "data") });
    const client = createApiClient(daemon);
    const pipeline = stages.map((name) => ({ name, steps: stepsOf(name) }));
    await applyAll(client, manualPipeline(project, "https://git.example.com/shop.git", pipeline));
    const freight = await onlyFreight(client, project);
    const promote = (stage: string) =>
      client.request(apiPath("projects", project, "stages", stage, "promotions"), {
        method: "POST",
        body: { freight },
      });
    await Promise.all(stages.map(promote));

    const list = async () =>
      (await client.request<{ items: Promotion[] }>(apiPath("projects", project, "promotions"))).items;
    let promotions = await list();
    while (promotions.some(({ status }) => status?.finishedAt === undefined)) {
      await sleep(250);
      promotions = await list();
    }
    expect(promotions.map(({ status }) => status?.message ?? status?.phase)).toEqual(
      stages.map(() => "Succeeded"),
    );
    expect(git(repository, "log", "--format=%s", "main").split("\n").sort()).toEqual(
      [...stages, "Commit 1"].sort(),
    );
    expect(git(repository, "ls-tree", "--name-only", "main").split("\n").sort()).toEqual(
      [...stages, "start"].sort(),
    );
  });
});
