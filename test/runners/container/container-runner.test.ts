import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { DaemonStopping } from "#core/daemon-stopping.ts";
import { createExpressions, type Expressions } from "#core/expressions/expressions.ts";
import type { CustomPromotionStepSpec } from "#core/resources/custom-promotion-step.ts";
import type { Invocation, Runner, RunnerLogLine } from "#core/runner.ts";
import { createContainerRunner } from "#runners/container/container-runner.ts";
import { findContainer, removeOrphans } from "#runners/container/containers.ts";
import { prepareCustomStep } from "#runners/container/custom-step.ts";
import { connectEngine } from "#runners/container/engine.ts";
import { createImages } from "#runners/container/images.ts";
import { createContainerPool } from "#runners/container/pool.ts";
import { makeBusyboxImage } from "#test/support/busybox-image.ts";
import { requirePart } from "#test/support/require-part.ts";

const hasDocker = await requirePart("docker");

describe.skipIf(!hasDocker)("a step in a container", () => {
  const docker = connectEngine();
  const pool = createContainerPool(docker);
  let image: string;
  let expressions: Expressions;
  let root: string;
  let count = 0;

  beforeAll(async () => {
    image = await makeBusyboxImage();
    expressions = await createExpressions();
  });
  afterAll(() => expressions.dispose());
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "towpath-container-"));
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  const runnerOf = (spec: Partial<CustomPromotionStepSpec>): Runner =>
    createContainerRunner(
      {
        docker,
        images: createImages(docker),
        pool,
        expressions,
        pullCredentials: { find: async () => undefined },
        outputRoot: join(root, "outputs"),
        cacheRoot: join(root, "caches"),
        allowed: { networks: [], devices: [], gpus: false },
      },
      (invocation) => prepareCustomStep({ image, ...spec }, invocation, expressions),
    );

  async function invocation(config: Record<string, unknown> = {}): Promise<Invocation> {
    count += 1;
    return {
      kind: "custom",
      config,
      project: "shop",
      stage: "test",
      promotion: "test.1",
      promotionUid: `uid-${process.pid}-${Date.now()}-${count}`,
      alias: "scan",
      attempt: 1,
      actor: "",
      rollback: false,
      uiBaseUrl: "",
      startedAt: new Date().toISOString(),
      workspace: await mkdtemp(join(root, "workspace-")),
      freight: [],
      freightRequests: [],
      targetFreight: undefined,
      targetFreightAlias: "",
      outputs: {},
      vars: {},
    };
  }

  function recording(signal = new AbortController().signal, logged: RunnerLogLine[] = []) {
    const lines: RunnerLogLine[] = [];
    return {
      lines,
      io: {
        signal,
        log: (line: RunnerLogLine) => lines.push(line),
        lastLogAt: async (of: string) => logged.findLast(({ stream }) => stream === of)?.at,
      },
    };
  }
  async function waitForContainer(own: Invocation): Promise<void> {
    for (let tries = 0; tries < 100; tries++) {
      const container = await findContainer(docker, own);
      if ((await container?.inspect().catch(() => undefined))?.State.Running) return;
      await sleep(50);
    }
    throw new Error("the container did not start");
  }
  const shell = (script: string) => ({ command: ["sh", "-c", script] });

  it("passes config and context in and reads the pipe file as the output", async () => {
    const runner = runnerOf({
      command: [
        "sh",
        "-c",
        "echo hello=$HELLO-${{ config.world }} > $KARGO_OUTPUT; echo at=${{ ctx.stage }} >> $TOWPATH_OUTPUT",
      ],
      env: [{ name: "HELLO", value: "${{ config.hello }}" }],
    });
    const outcome = await runner.run(await invocation({ hello: "bonjour", world: "007" }), recording().io);
    expect(outcome).toEqual({ status: "succeeded", output: { hello: "bonjour-007", at: "test" } });
  });

  it.each([
    {
      name: "Stdout, transformed",
      spec: {
        ...shell("echo a=FAIL"),
        output: { source: { type: "Stdout" }, transform: { failed: 'output.a contains "FAIL"' } },
      },
      output: { failed: true },
    },
    {
      name: "Stderr as JSON",
      spec: { ...shell(`echo '{"a":[1]}' >&2`), output: { source: { type: "Stderr", format: "JSON" } } },
      output: { a: [1] },
    },
    {
      name: "a file whose ending tells the format",
      spec: { ...shell("printf 'a: 1' > out.yaml"), output: { source: { type: "File", path: "out.yaml" } } },
      output: { a: 1 },
    },
  ] as const)("reads the output from $name", async ({ spec, output }) => {
    const outcome = await runnerOf(spec as Partial<CustomPromotionStepSpec>).run(
      await invocation(),
      recording().io,
    );
    expect(outcome).toEqual({ status: "succeeded", output });
  });

  it("logs both streams line by line", async () => {
    const { lines, io } = recording();
    await runnerOf(shell("echo one; echo two >&2; printf three")).run(await invocation(), io);
    expect(lines.map(({ stream, text }) => `${stream} ${text}`).sort()).toEqual([
      "stderr two",
      "stdout one",
      "stdout three",
    ]);
  });

  it("keeps a long line and empty lines of an output as they were printed", async () => {
    const runner = runnerOf({
      ...shell("head -c 100000 /dev/zero | tr '\\0' x; echo; echo; echo end"),
      output: { source: { type: "Stdout", format: "Text" } },
    });
    const outcome = await runner.run(await invocation(), recording().io);
    expect(outcome).toEqual({ status: "succeeded", output: { output: `${"x".repeat(100_000)}\n\nend` } });
  });

  it("works in the workspace and leaves its files to the daemon, and is not lent what a link there points at", async () => {
    const own = await invocation();
    await writeFile(join(own.workspace, "in.txt"), "in");
    const outside = join(root, "outside.txt");
    await writeFile(outside, "mine");
    const before = await stat(outside);
    await symlink(outside, join(own.workspace, "link"));
    await runnerOf(shell("cp in.txt out.txt")).run(own, recording().io);
    expect((await stat(outside)).uid).toBe(before.uid);
    expect(await readFile(join(own.workspace, "out.txt"), "utf8")).toBe("in");
  });

  it("tells the exit code and the end of what was said", async () => {
    await expect(
      runnerOf(shell("echo broken >&2; exit 3")).run(await invocation(), recording().io),
    ).rejects.toMatchObject({
      kind: "errored",
      message: "The command ended with exit code 3: broken",
    });
  });

  it("names a program that the image has not", async () => {
    const failing = runnerOf({ command: ["no-such-program"] }).run(await invocation(), recording().io);
    await expect(failing).rejects.toMatchObject({
      kind: "config",
      message: expect.stringContaining('"no-such-program"'),
    });
  });

  it("names an image that cannot be had", async () => {
    const failing = runnerOf({ image: "127.0.0.1:1/none:1", ...shell("true") }).run(
      await invocation(),
      recording().io,
    );
    await expect(failing).rejects.toThrow('Cannot pull image "127.0.0.1:1/none:1"');
  });

  it("names the memory limit when it was too low", async () => {
    const greedy = runnerOf({
      ...shell("head -c 200m /dev/zero | tail"),
      resources: { limits: { memory: "16Mi" } },
    });
    await expect(greedy.run(await invocation(), recording().io)).rejects.toThrow(
      /memory than its limit of 16 MiB|SIGKILL|exit code/,
    );
  });

  it("has no network, no capabilities, no other user's rights and no engine's socket", async () => {
    const { lines, io } = recording();
    await runnerOf(
      shell(
        "id -u; grep CapEff /proc/self/status; ls /sys/class/net; ls /var/run/docker.sock 2>&1; grep NoNewPrivs /proc/self/status",
      ),
    ).run(await invocation(), io);
    const said = lines.map(({ text }) => text).join("\n");
    expect(said).toContain("CapEff:\t0000000000000000");
    expect(said).toMatch(/NoNewPrivs:\s+1/);
    expect(said).not.toContain("eth0");
    expect(said).toContain("No such file");
    expect(said).not.toMatch(/^0$/m);
  });

  it("does not follow a link that was put in the output's place", async () => {
    const spec = {
      ...shell("ln -s /etc/passwd out.txt"),
      output: { source: { type: "File", path: "out.txt", format: "Text" } },
    };
    await expect(
      runnerOf(spec as Partial<CustomPromotionStepSpec>).run(await invocation(), recording().io),
    ).rejects.toMatchObject({ kind: "refused" });
  });

  it("refuses an output beyond the bound", async () => {
    const failing = runnerOf(
      shell("head -c 300000 /dev/zero | tr '\\0' x | sed 's/^/a=/' > $KARGO_OUTPUT"),
    ).run(await invocation(), recording().io);
    await expect(failing).rejects.toThrow("at most 262144 are allowed");
  });

  it("ends the command with SIGTERM when it is aborted, and removes the container", async () => {
    const own = await invocation();
    const abort = new AbortController();
    const { lines, io } = recording(abort.signal);
    const running = runnerOf(
      shell("trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.1; done"),
    ).run(own, io);
    await waitFor(() => lines.some(({ text }) => text === "ready"));
    abort.abort(new Error("aborted"));
    await expect(running).rejects.toThrow("aborted");
    expect(lines.map(({ text }) => text)).toContain("bye");
    await pool.close();
    expect(await findContainer(docker, own)).toBeUndefined();
  });

  it("leaves the command running when the daemon stops, and takes it up again with a whole log", async () => {
    const own = await invocation();
    const stop = new AbortController();
    const first = recording(stop.signal);
    const runner = runnerOf(
      shell("for i in 1 2 3 4 5 6; do echo line $i; sleep 0.15; done; echo done=yes > $KARGO_OUTPUT"),
    );
    const running = runner.run(own, first.io);
    await waitFor(() => first.lines.some(({ text }) => text === "line 2"));
    stop.abort(new DaemonStopping());
    await expect(running).rejects.toBeInstanceOf(DaemonStopping);

    const second = recording(undefined, first.lines);
    expect(await runner.reattach?.(own, second.io)).toEqual({ status: "succeeded", output: { done: "yes" } });
    const both = [...first.lines, ...second.lines]
      .filter(({ stream }) => stream === "stdout")
      .map(({ text }) => text);
    expect(both).toEqual(["line 1", "line 2", "line 3", "line 4", "line 5", "line 6"]);
  });

  it("removes what an earlier daemon of the same folder left of promotions that are over", async () => {
    const [over, goesOn] = [await invocation(), await invocation()];
    const stop = new AbortController();
    const runner = runnerOf(shell("sleep 60"));
    const runs = [over, goesOn].map((own) => runner.run(own, recording(stop.signal).io));
    await Promise.all([over, goesOn].map(waitForContainer));
    stop.abort(new DaemonStopping());
    await Promise.allSettled(runs);

    const goingOn = async () => new Set([goesOn.promotionUid]);
    expect(await removeOrphans(docker, "/another/daemon", goingOn)).toBe(0);
    expect(await removeOrphans(docker, join(root, "outputs"), goingOn)).toBe(1);
    expect(await findContainer(docker, over)).toBeUndefined();
    expect(await findContainer(docker, goesOn)).toBeDefined();
    await removeOrphans(docker, join(root, "outputs"), async () => new Set());
  });

  it("knows what came of a command whose result nobody noted, and does not run it again", async () => {
    const own = await invocation();
    const runner = runnerOf(shell("echo run >> runs; echo runs=$(wc -l < runs) > $KARGO_OUTPUT"));
    const outcome = await runner.run(own, recording().io);
    await pool.close();
    expect(await findContainer(docker, own)).toBeUndefined();
    expect(await runner.reattach?.(own, recording().io)).toEqual(outcome);
    expect(await runner.reattach?.({ ...own, attempt: 2 }, recording().io)).toBeUndefined();
  });

  it("has nothing to take up when no container is left", async () => {
    expect(await runnerOf(shell("true")).reattach?.(await invocation(), recording().io)).toBeUndefined();
  });

  it("checks the config before it asks for the image", async () => {
    const runner = runnerOf({
      image: "127.0.0.1:1/none:1",
      configSchema: {
        type: "object",
        required: ["world"],
        properties: { level: { enum: ["low", "high"] } },
        additionalProperties: false,
      },
    });
    await expect(
      runner.run(await invocation({ level: "mid", wrld: 1 }), recording().io),
    ).rejects.toMatchObject({
      kind: "config",
      message:
        "invalid custom config: (root): must have required property 'world'; (root): Additional property wrld is not allowed; level: must be equal to one of the allowed values: low, high",
    });
  });

  it("refuses an output other than the declared one", async () => {
    const runner = runnerOf({
      ...shell("echo count=many > $KARGO_OUTPUT"),
      outputSchema: { properties: { count: { type: "integer" } } },
    });
    await expect(runner.run(await invocation(), recording().io)).rejects.toThrow("count: must be integer");
  });

  it("keeps a cache for the next promotion of the project", async () => {
    const runner = runnerOf({
      ...shell("cat /var/cache/seen > $KARGO_OUTPUT; echo seen=yes > /var/cache/seen"),
      caches: [{ name: "things", path: "/var/cache" }],
    });
    await runner.run(await invocation(), recording().io).catch(() => undefined);
    expect(await runner.run(await invocation(), recording().io)).toMatchObject({ output: { seen: "yes" } });
    const elsewhere = runner.run({ ...(await invocation()), project: "other" }, recording().io);
    await expect(elsewhere).resolves.toMatchObject({ output: {} });
  });

  it("runs as the user, from the entrypoint and on the read-only root that it asks for", async () => {
    const runner = runnerOf({
      entrypoint: ["sh", "-c"],
      command: [
        "echo user=$(id -u):$(id -g) > $KARGO_OUTPUT; touch made && echo made=yes >> $KARGO_OUTPUT; touch /etc/x || echo root=fixed >> $KARGO_OUTPUT",
      ],
      user: "1234:5678",
      readOnlyRoot: true,
    });
    expect(await runner.run(await invocation(), recording().io)).toMatchObject({
      output: { user: "1234:5678", made: "yes", root: "fixed" },
    });
  });

  it("leaves no container behind", async () => {
    await pool.close();
    const left = execFileSync("docker", ["ps", "-aq", "--filter", "label=dev.towpath.project=shop"], {
      encoding: "utf8",
    });
    expect(left).toBe("");
  });
});

async function waitFor(condition: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200 && !condition(); tries++) await sleep(50);
  expect(condition()).toBe(true);
}
