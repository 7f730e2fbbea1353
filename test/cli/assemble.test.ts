import { writeFileSync } from "node:fs";
import path from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type Daemon, startDaemon } from "#server/daemon.ts";
import { runCli } from "#test/support/cli.ts";
import { addPlanned, plannedRepository } from "#test/support/git-history.ts";
import { temporaryFolder } from "#test/support/step-context.ts";

describe("a Warehouse of a running daemon", () => {
  let daemon: Daemon;
  let env: NodeJS.ProcessEnv;
  let repository: string;
  const towpath = (...args: string[]) => runCli([...args, "-p", "shop"], { env });
  const freightTags = async () => {
    const { stdout } = await towpath("get", "freight", "-o", "json");
    const list = JSON.parse(stdout);
    const items = (list.kind === "List" ? list.items : [list]) as { commits: { tag: string }[] }[];
    return items.map(({ commits }) => commits[0]?.tag).sort();
  };

  beforeAll(async () => {
    const folder = temporaryFolder();
    repository = plannedRepository([{ subject: "First", tags: ["v1.0.0", "v1.1.0"] }]);
    daemon = await startDaemon({
      data: path.join(folder, "data"),
      host: "127.0.0.1",
      port: 0,
      allowNet: [],
      env: {},
      logTo: new PassThrough().resume(),
    });
    env = { TOWPATH_SERVER: daemon.url, TOWPATH_TOKEN: daemon.newToken };
    const file = path.join(folder, "shop.json");
    const apiVersion = "kargo.akuity.io/v1alpha1";
    const git = { repoURL: `file://${repository}`, commitSelectionStrategy: "SemVer" };
    const resources = [
      { apiVersion, kind: "Project", metadata: { name: "shop" } },
      {
        apiVersion,
        kind: "Warehouse",
        metadata: { name: "releases", namespace: "shop" },
        spec: { interval: "24h", subscriptions: [{ name: "app", git }] },
      },
    ];
    writeFileSync(file, resources.map((resource) => JSON.stringify(resource)).join("\n---\n"));
    await runCli(["apply", "-f", file], { env });
    await vi.waitFor(async () => expect(await freightTags()).toEqual(["v1.1.0"]), { timeout: 20_000 });
  });

  afterAll(() => daemon?.stop());

  it("makes freight of an older version when somebody chooses it", async () => {
    const { stdout } = await towpath("assemble", "releases", "--use", "app=v1.0.0", "--alias", "steady-mule");
    expect(stdout).toMatch(/^freight shop\/[0-9a-f]{40} created$/m);
    expect(await freightTags()).toEqual(["v1.0.0", "v1.1.0"]);
    const { stdout: described } = await towpath("get", "freight", "steady-mule", "-o", "json");
    expect(JSON.parse(described)).toMatchObject({ alias: "steady-mule", commits: [{ tag: "v1.0.0" }] });
  });

  it("says what there is to choose from", async () => {
    const { code, stderr } = await towpath("assemble", "releases", "--use", "app=v9");
    expect(code).toBe(1);
    expect(stderr).toContain('Cannot choose "v9" from "app": it was not discovered');
  });

  it("looks again when it is refreshed", async () => {
    addPlanned(repository, [{ subject: "Second", tags: ["v1.2.0"] }]);
    expect((await towpath("refresh", "warehouse", "releases")).code).toBe(0);
    await vi.waitFor(async () => expect(await freightTags()).toContain("v1.2.0"), { timeout: 20_000 });
  });
});
