import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { type ApiClient, apiPath, createApiClient } from "#cli/api-client.ts";
import { type DaemonProcess, startDaemon } from "#cli/daemon-process.ts";
import type { Promotion } from "#core/resources/promotion.ts";
import { makeBusyboxImage } from "#test/support/busybox-image.ts";
import { applyAll, kargo, manualPipeline, onlyFreight } from "#test/support/manual-freight.ts";
import { requirePart } from "#test/support/require-part.ts";

const project = "survival";
const lines = 24;
/** The command waits behind this line, so that it is not over before its last daemon is there. */
const lastUnheard = 18;

describe.skipIf(!(await requirePart("docker")))("a container whose daemon is killed", () => {
  let root: string;
  let daemon: DaemonProcess | undefined;
  afterEach(async () => {
    await daemon?.kill();
    await rm(root, { recursive: true, force: true });
  });

  it("goes on, is taken up again, and leaves a whole log and one result", { timeout: 60_000 }, async () => {
    root = await mkdtemp(join(tmpdir(), "towpath-survival-"));
    const data = join(root, "data");
    daemon = await startDaemon({ data });
    await applyAll(createApiClient(daemon), pipeline(await makeBusyboxImage()));
    const freight = await onlyFreight(createApiClient(daemon), project);
    const promotion = await createApiClient(daemon).request<Promotion>(
      apiPath("projects", project, "stages", "test", "promotions"),
      { method: "POST", body: { freight } },
    );
    const name = promotion.metadata.name;

    for (const until of ["out 5", "out 12"]) {
      const running = daemon;
      await waitFor(async () => (await logOf(running, name)).includes(until));
      await running.kill();
      // Long enough for lines that no daemon hears.
      await sleep(300);
      daemon = await startDaemon({ data });
    }
    const [workspace = ""] = await readdir(join(data, "work"));
    await writeFile(join(data, "work", workspace, "go"), "");
    const client = createApiClient(daemon);
    let ended = await readPromotion(client, name);
    await waitFor(async () => {
      ended = await readPromotion(client, name);
      return ended.status?.finishedAt !== undefined;
    });

    expect(ended.status).toMatchObject({ phase: "Succeeded", state: { check: { starts: "1" } } });
    const said = await logOf(daemon, name);
    await waitFor(async () => (await readdir(join(data, "outputs"))).length === 0);
    const numbers = Array.from({ length: lines }, (_, index) => index + 1);
    expect(said.filter((line) => line.startsWith("out"))).toEqual(numbers.map((number) => `out ${number}`));
    expect(said.filter((line) => line.startsWith("err"))).toEqual(numbers.map((number) => `err ${number}`));
  });
});

/** A step that counts its starts in the workspace and talks on both streams. */
function pipeline(image: string): unknown[] {
  const script = [
    "echo started >> starts",
    `for i in $(seq ${lines}); do echo out $i; echo err $i >&2; sleep 0.1`,
    `[ $i -lt ${lastUnheard} ] || until [ -e go ]; do sleep 0.1; done; done`,
    "echo starts=$(wc -l < starts) > $KARGO_OUTPUT",
  ].join("\n");
  return [
    {
      apiVersion: `ee.${kargo}`,
      kind: "CustomPromotionStep",
      metadata: { name: "talk" },
      spec: { image, command: ["sh", "-c", script] },
    },
    ...manualPipeline(project, "https://git.example.com/app.git", [
      { name: "test", steps: [{ uses: "talk", as: "check" }] },
    ]),
  ];
}

function readPromotion(client: ApiClient, name: string): Promise<Promotion> {
  return client.request<Promotion>(apiPath("projects", project, "promotions", name));
}

async function logOf(connection: DaemonProcess, promotion: string): Promise<string[]> {
  const path = apiPath("projects", project, "promotions", promotion, "steps", "check", "log");
  return (await createApiClient(connection).text(path)).split("\n");
}

async function waitFor(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(50);
}
