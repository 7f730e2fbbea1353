import { execFileSync } from "node:child_process";
import { connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import Docker from "dockerode";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunnerLogLine } from "#core/runner.ts";
import { createImages } from "#runners/container/images.ts";
import { createInlineContainerRunner } from "#runners/container/inline-container.ts";
import { createContainerPool } from "#runners/container/pool.ts";
import { makeBusyboxImage } from "#test/support/busybox-image.ts";
import { type ContainerWorld, openContainerWorld, recordingIO } from "#test/support/containers.ts";
import { requirePart } from "#test/support/require-part.ts";

describe.skipIf(!(await requirePart("docker")))("a step whose engine or container goes away", () => {
  let world: ContainerWorld;
  let image: string;
  beforeAll(async () => {
    image = await makeBusyboxImage();
    world = await openContainerWorld();
  });
  afterAll(() => world[Symbol.asyncDispose]());

  /** Runs a step that never ends by itself, and does something to it once it runs. */
  async function disturb(config: object, disturbance: (uid: string) => void, services = world.services) {
    const own = world.invocation({ config: { image, script: "echo ready; sleep 60", ...config } });
    const io = recordingIO();
    const log = (line: RunnerLogLine) => {
      if (line.text === "ready") disturbance(own.promotionUid);
    };
    return createInlineContainerRunner(services)
      .run(own, { ...io, log })
      .then(
        () => "succeeded",
        ({ kind, message }) => ({ kind, message }),
      );
  }
  const docker =
    (...args: string[]) =>
    (uid: string) => {
      const filter = `label=dev.towpath.promotion-uid=${uid}`;
      const [id = ""] = execFileSync("docker", ["ps", "-q", "--filter", filter], { encoding: "utf8" }).split(
        "\n",
      );
      execFileSync("docker", [...args, id], { stdio: "pipe" });
    };

  it.each([
    { what: "killed", by: docker("kill"), reuse: "never", says: /was killed \(SIGKILL\)/ },
    { what: "removed", by: docker("rm", "-f"), reuse: "never", says: /was killed|was removed while it ran/ },
    { what: "killed", by: docker("kill"), reuse: "promotion", says: /was killed \(SIGKILL\)/ },
    {
      what: "removed",
      by: docker("rm", "-f"),
      reuse: "promotion",
      says: /was killed|was removed while it ran/,
    },
  ])(
    "is told when its container is $what, and may be tried again: reuse $reuse",
    async ({ by, reuse, says }) => {
      expect(await disturb({ reuse }, by)).toEqual({ kind: "errored", message: expect.stringMatching(says) });
    },
  );

  it.each(["never", "promotion"])("is tried again after the engine broke off: reuse %s", async (reuse) => {
    const open = new Set<Socket>();
    let isUp = true;
    const proxy = createServer((client) => {
      if (!isUp) return client.destroy();
      const engine = connect(process.env.DOCKER_HOST?.replace("unix://", "") ?? "/var/run/docker.sock");
      for (const socket of [client, engine]) open.add(socket.on("error", () => undefined));
      client.pipe(engine).pipe(client);
    });
    const socketPath = join(world.root, `engine-${reuse}.sock`);
    await new Promise<void>((resolve) => proxy.listen(socketPath, resolve));
    const breaking = new Docker({ socketPath });
    const services = {
      ...world.services,
      docker: breaking,
      images: createImages(breaking),
      pool: createContainerPool(breaking),
    };
    const failure = await disturb(
      { reuse },
      () => {
        isUp = false;
        for (const socket of open) socket.destroy();
      },
      services,
    );
    proxy.close();
    expect(failure).toEqual({ kind: "transient", message: expect.stringMatching(/^Cannot .*container.*: /) });
  });
});
