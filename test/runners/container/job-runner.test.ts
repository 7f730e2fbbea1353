import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ContainerJob } from "#core/container-jobs.ts";
import { DaemonStopping } from "#core/daemon-stopping.ts";
import { createJobRunner } from "#runners/container/job-runner.ts";
import { makeBusyboxImage } from "#test/support/busybox-image.ts";
import { type ContainerWorld, openContainerWorld, recordingIO } from "#test/support/containers.ts";
import { requirePart } from "#test/support/require-part.ts";

describe.skipIf(!(await requirePart("docker")))("a job in a container", () => {
  let world: ContainerWorld;
  let image: string;
  let count = 0;
  beforeAll(async () => {
    image = await makeBusyboxImage();
    world = await openContainerWorld();
  });
  afterAll(() => world[Symbol.asyncDispose]());

  const job = (overrides: Partial<ContainerJob>): ContainerJob => ({
    project: "shop",
    owner: { name: "check", uid: `run-${process.pid}-${++count}` },
    key: "latency-1",
    image,
    command: ["sh", "-c"],
    env: {},
    pullSecrets: [],
    ...overrides,
  });

  it("tells of a success, and logs what was said", async () => {
    const io = recordingIO();
    const env = { WHO: "you" };
    const end = await createJobRunner(world.services).run(job({ args: ["echo hello $WHO; pwd"], env }), io);
    expect(end).toEqual({ exitCode: 0, message: "" });
    expect(io.lines.map(({ text }) => text)).toEqual(["hello you", "/"]);
  });

  it("tells the exit code of a command that failed, and what it said", async () => {
    const end = await createJobRunner(world.services).run(
      job({ args: ["echo slow >&2; exit 7"] }),
      recordingIO(),
    );
    expect(end).toEqual({ exitCode: 7, message: "The command ended with exit code 7: slow" });
  });

  it("throws when there is nothing to run", async () => {
    const running = createJobRunner(world.services).run(job({ image: "127.0.0.1:1/none" }), recordingIO());
    await expect(running).rejects.toThrow('Cannot pull image "127.0.0.1:1/none"');
  });

  it("goes on after the daemon stopped, is followed to its end, and leaves nothing", async () => {
    const jobs = createJobRunner(world.services);
    const own = job({ args: ["echo begun; sleep 0.4; echo ended"] });
    const stop = new AbortController();
    const first = recordingIO(stop.signal);
    const running = jobs.run(own, {
      ...first,
      log(line) {
        first.log(line);
        if (line.text === "begun") stop.abort(new DaemonStopping());
      },
    });
    await expect(running).rejects.toBeInstanceOf(DaemonStopping);
    const second = recordingIO();
    expect(await jobs.run(own, second)).toEqual({ exitCode: 0, message: "" });
    expect(second.lines.map(({ text }) => text)).toContain("ended");
    await jobs.forget(own.owner.uid);
    expect(existsSync(join(world.services.outputRoot, own.owner.uid))).toBe(false);
  });
});
