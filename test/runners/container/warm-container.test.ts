import { execFileSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DaemonStopping } from "#core/daemon-stopping.ts";
import type { CustomPromotionStepSpec } from "#core/resources/custom-promotion-step.ts";
import type { Invocation, Runner, RunnerLogLine } from "#core/runner.ts";
import { createContainerRunner } from "#runners/container/container-runner.ts";
import { prepareCustomStep } from "#runners/container/custom-step.ts";
import { createContainerPool } from "#runners/container/pool.ts";
import { makeBusyboxImage } from "#test/support/busybox-image.ts";
import { type ContainerWorld, openContainerWorld, recordingIO } from "#test/support/containers.ts";
import { requirePart } from "#test/support/require-part.ts";

describe.skipIf(!(await requirePart("docker")))("a container that steps of a promotion share", () => {
  let world: ContainerWorld;
  let image: string;
  beforeAll(async () => {
    image = await makeBusyboxImage();
    world = await openContainerWorld();
  });
  afterAll(() => world[Symbol.asyncDispose]());

  const runnerOf = (spec: Partial<CustomPromotionStepSpec>, services = world.services): Runner =>
    createContainerRunner(services, (invocation) =>
      prepareCustomStep({ image, reuse: "promotion", ...spec }, invocation, services.expressions),
    );
  const shell = (script: string) => ({ command: ["sh", "-c", script] });
  const textsOf = (lines: readonly RunnerLogLine[]) => lines.map(({ stream, text }) => `${stream} ${text}`);
  const containersOf = ({ promotionUid }: Invocation) =>
    execFileSync("docker", ["ps", "-aq", "--filter", `label=dev.towpath.promotion-uid=${promotionUid}`], {
      encoding: "utf8",
    }).split("\n").length - 1;
  /** Steps of one promotion, each after the other. */
  const promotion = () => {
    const first = world.invocation();
    let count = 0;
    return (): Invocation => ({ ...first, alias: `step-${++count}` });
  };

  it("runs commands of the same options in one container, each with its own environment, output and log", async () => {
    const next = promotion();
    const spec = {
      ...shell("echo said $NAME; echo err >&2; echo host=$(hostname) > $KARGO_OUTPUT; ls -d /towpath/*"),
      env: [{ name: "NAME", value: "${{ config.name }}" }],
    };
    const outputs: unknown[] = [];
    for (const name of ["one", "two"]) {
      const io = recordingIO();
      const own = { ...next(), config: { name } };
      const outcome = await runnerOf(spec).run(own, io);
      outputs.push(outcome.output);
      const folder = `/towpath/${Buffer.from(own.alias).toString("hex")}-1`;
      expect(textsOf(io.lines).toSorted()).toEqual(["stderr err", `stdout ${folder}`, `stdout said ${name}`]);
    }
    expect(outputs[0]).toEqual(outputs[1]);
    const other = next();
    const { output } = await runnerOf({ ...spec, readOnlyRoot: true }).run(other, recordingIO());
    expect(output).not.toEqual(outputs[0]);
    expect(containersOf(other)).toBe(2);
    await world.services.pool.release(other.promotionUid);
    await world.services.pool.close();
    expect(containersOf(other)).toBe(0);
  });

  it("is hardened as any other", async () => {
    const io = recordingIO();
    const script = "id -u; grep -E 'CapEff|NoNewPrivs' /proc/self/status; ls /sys/class/net";
    await runnerOf(shell(script)).run(world.invocation(), io);
    const said = textsOf(io.lines).join("\n");
    expect(said).toContain("CapEff:\t0000000000000000");
    expect(said).toMatch(/NoNewPrivs:\s+1/);
    expect(said).not.toMatch(/eth0|stdout 0$/m);
  });

  it.each([
    {
      script: "echo a >&2; printf unended >&2; exit 3",
      says: "The command ended with exit code 3: a\nunended",
    },
    { script: "kill -9 $$", says: "The command was killed (SIGKILL)" },
  ])("tells how a command failed, and is not used again: $script", async ({ script, says }) => {
    const next = promotion();
    await expect(runnerOf(shell(script)).run(next(), recordingIO())).rejects.toMatchObject({
      kind: "errored",
      message: expect.stringContaining(says),
    });
    const again = next();
    expect(await runnerOf(shell("echo ok=1 > $KARGO_OUTPUT")).run(again, recordingIO())).toMatchObject({
      output: { ok: "1" },
    });
  });

  it("names a program that the image has not", async () => {
    const failing = runnerOf({ command: ["no-such-program"] }).run(world.invocation(), recordingIO());
    await expect(failing).rejects.toMatchObject({
      kind: "config",
      message: expect.stringContaining('"no-such-program"'),
    });
  });

  it("gives the next step none of the processes that the step before left running", async () => {
    const next = promotion();
    await runnerOf(shell("(while :; do echo ghost; sleep 0.05; done) & sleep 0.1")).run(
      next(),
      recordingIO(),
    );
    const io = recordingIO();
    await runnerOf(shell("sleep 0.3; ps | grep -c '[g]host' || true; echo end")).run(next(), io);
    expect(textsOf(io.lines)).toEqual(["stdout 0", "stdout end"]);
  });

  it.each([
    {
      how: "tells of its own end too early",
      end: "for out in 1 2; do echo $mark end 0 > /proc/1/fd/$out; done",
    },
    { how: "fails", end: "exit 3" },
  ])("has nothing change the workspace after a command that $how", async ({ end }) => {
    const own = world.invocation();
    const script = [
      "mark=$(tr '\\0' '\\n' </proc/$PPID/cmdline | grep -E '^[0-9a-f-]{36}$')",
      "(while :; do echo >> ghost; sleep 0.02; done) &",
      "while [ ! -s ghost ]; do sleep 0.02; done",
      `${end}; sleep 20`,
    ].join("\n");
    await runnerOf(shell(script))
      .run(own, recordingIO())
      .catch(() => undefined);
    const ghost = join(own.workspace, "ghost");
    const { size } = statSync(ghost);
    await sleep(200);
    expect(statSync(ghost).size).toBe(size);
    await world.services.pool.release(own.promotionUid);
    await world.services.pool.close();
    expect(containersOf(own)).toBe(0);
  });

  it("keeps the whole of a long output", async () => {
    const runner = runnerOf({
      ...shell("head -c 100000 /dev/zero | tr '\\0' x; echo; echo; printf end"),
      output: { source: { type: "Stdout", format: "Text" } },
    });
    const { output } = await runner.run(world.invocation(), recordingIO());
    expect(output).toEqual({ output: `${"x".repeat(100_000)}\n\nend` });
  });

  it("ends the command with SIGTERM when it is aborted, and goes with it", async () => {
    const own = world.invocation();
    const abort = new AbortController();
    const io = recordingIO(abort.signal);
    const log = (line: RunnerLogLine) => {
      io.log(line);
      if (line.text === "ready") abort.abort(new Error("aborted"));
    };
    const script = "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.1; done";
    await expect(runnerOf(shell(script)).run(own, { ...io, log })).rejects.toThrow("aborted");
    expect(textsOf(io.lines)).toContain("stdout bye");
    await world.services.pool.close();
    expect(containersOf(own)).toBe(0);
  });

  it("is taken up again by the daemon after, with a whole log, the exit code and one result", async () => {
    const own = world.invocation();
    const runner = runnerOf(
      shell("for i in 1 2 3 4 5; do echo line $i; sleep 0.1; done; echo done=yes > $KARGO_OUTPUT"),
    );
    const stop = new AbortController();
    const first = recordingIO(stop.signal);
    const log = (line: RunnerLogLine) => {
      first.log(line);
      if (line.text === "line 2") stop.abort(new DaemonStopping());
    };
    await expect(runner.run(own, { ...first, log })).rejects.toBeInstanceOf(DaemonStopping);

    const later = { ...world.services, pool: createContainerPool(world.services.docker) };
    const second = recordingIO();
    const lastLogAt = async (of: string) => first.lines.findLast(({ stream }) => stream === of)?.at;
    const outcome = await runnerOf({}, later).reattach?.(own, { ...second, lastLogAt });
    // The command is the earlier daemon's: what the definition says by now changes nothing.
    expect(outcome).toEqual({ status: "succeeded", output: { done: "yes" } });
    const both = [...first.lines, ...second.lines].filter(({ stream }) => stream === "stdout");
    expect(both.map(({ text }) => text)).toEqual([1, 2, 3, 4, 5].map((number) => `line ${number}`));
    await later.pool.close();
    expect(containersOf(own)).toBe(0);
    expect(
      readdirSync(join(world.services.outputRoot, own.promotionUid)).some((name) => name.endsWith(".json")),
    ).toBe(true);
  });

  it("gives the step a container of its own where the shared one was killed", async () => {
    const next = promotion();
    const own = next();
    await runnerOf(shell("true")).run(own, recordingIO());
    const [id = ""] = execFileSync(
      "docker",
      ["ps", "-q", "--filter", `label=dev.towpath.promotion-uid=${own.promotionUid}`],
      { encoding: "utf8" },
    ).split("\n");
    execFileSync("docker", ["kill", id]);
    const outcome = await runnerOf(shell("echo ok=1 > $KARGO_OUTPUT")).run(next(), recordingIO());
    expect(outcome.output).toEqual({ ok: "1" });
  });

  it.each([{ reuse: "promotion" as const }, { reuse: "never" as const }])(
    "is made ahead, and used by the step that wants exactly that: reuse $reuse",
    async ({ reuse }) => {
      const own = world.invocation();
      const runner = runnerOf({ ...shell("echo host=$(hostname) > $KARGO_OUTPUT"), reuse });
      await runner.prepare?.(own);
      const other = { ...own, alias: "other" };
      await runner.prepare?.(other);
      const ids = async () =>
        (
          await world.services.docker.listContainers({
            all: true,
            filters: { label: [`dev.towpath.promotion-uid=${own.promotionUid}`] },
          })
        ).map(({ Id }) => Id.slice(0, 12));
      await expect.poll(async () => (await ids()).length).toBe(reuse === "never" ? 2 : 1);
      const made = await ids();
      const { output } = await runner.run(own, recordingIO());
      expect(made).toContain(output?.host);
      const changed = runnerOf({
        ...shell("echo host=$(hostname) changed=1 > $KARGO_OUTPUT"),
        reuse,
        user: "1234",
      });
      const { output: differs } = await changed.run(other, recordingIO());
      expect(made).not.toContain(String(differs?.host).split(" ")[0]);
      await world.services.pool.release(own.promotionUid);
      await world.services.pool.close();
      expect(await ids()).toEqual([]);
    },
  );
});
