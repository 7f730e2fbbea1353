import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import Docker from "dockerode";
import { describe, expect, it } from "vitest";
import type { Credentials } from "#core/credentials/credentials.ts";
import { createContainer } from "#runners/container/containers.ts";
import { connectEngine, engineAdvice } from "#runners/container/engine.ts";
import { createImages } from "#runners/container/images.ts";
import { startDockerRegistry } from "#test/support/docker-registry.ts";
import { requirePart } from "#test/support/require-part.ts";
import { temporaryFolder } from "#test/support/step-context.ts";

const right = { username: "joe", password: "s3cret" };
const parts = (await requirePart("docker")) && (await requirePart("registry"));

describe.skipIf(!parts)("images from a registry with a password", () => {
  const docker = connectEngine();
  /** Pushes an image that nobody has, and takes it from the engine again. */
  async function pushImage(): Promise<string> {
    const { host } = await startDockerRegistry({ password: true });
    const folder = temporaryFolder();
    writeFileSync(join(folder, "data"), randomBytes(2 ** 20));
    const image = `${host}/acme/scan:1`;
    execFileSync("sh", ["-c", 'tar -C "$1" -c data | docker import - "$2"', "sh", folder, image], {
      stdio: "pipe",
    });
    const stream = await docker.getImage(image).push({ authconfig: { ...right, serveraddress: host } });
    await new Promise<void>((resolve, reject) => {
      docker.modem.followProgress(stream, (error) => (error ? reject(error) : resolve()));
    });
    await docker.getImage(image).remove();
    return image;
  }
  const asking = (image: string, credentials: Credentials | undefined, lines: string[] = []) => ({
    image,
    credentials: async () => credentials,
    onProgress: (text: string) => lines.push(text),
  });

  it("are refused for good without the right password, and pulled with it", async () => {
    const image = await pushImage();
    const images = createImages(docker);
    for (const credentials of [undefined, { username: "joe", password: "wrong" }]) {
      await expect(images.ensure(asking(image, credentials))).rejects.toMatchObject({
        kind: "refused",
        message: `Cannot pull image "${image}": the registry refuses the credentials, or wants some and got none`,
      });
    }
    await expect(images.ensure(asking(image.replace("scan", "none"), right))).rejects.toMatchObject({
      kind: "refused",
      message: expect.stringContaining("the registry has no such image"),
    });
    await images.ensure(asking(image, right));
    expect((await images.inspect(image)).RepoTags).toContain(image);
    await docker.getImage(image).remove();
  });

  it("are pulled once for all that want them at the same time, each with the progress", async () => {
    const image = await pushImage();
    let pulls = 0;
    const counting = new Docker();
    counting.pull = ((...args: Parameters<typeof docker.pull>) => {
      pulls += 1;
      return docker.pull(...args);
    }) as typeof docker.pull;
    const images = createImages(counting);
    const heard = [[], [], []] as string[][];
    await Promise.all(heard.map((lines) => images.ensure(asking(image, right, lines))));
    expect(pulls).toBe(1);
    for (const lines of heard) {
      expect(lines).toEqual([`pulling ${image}`, expect.stringMatching(/^[0-9a-f]{12}: Pull complete$/)]);
    }
    await docker.getImage(image).remove();
  });

  it("are looked for again when the engine says that what was there is gone", async () => {
    const image = await pushImage();
    const images = createImages(docker);
    await images.ensure(asking(image, right));
    await docker.getImage(image).remove();
    const container = await createContainer(docker, { Image: image, Cmd: ["x"] }, () => {
      images.forget(image);
      return images.ensure(asking(image, right));
    });
    await container.remove();
    await docker.getImage(image).remove();
  });
});

describe("the advice about an engine", () => {
  it.each([
    { version: "20.10.24+dfsg1", says: "Docker Engine 20.10.24+dfsg1 is old" },
    { version: "24.0.9", says: "is old" },
    { version: "28.2.2", says: undefined },
    { version: undefined, says: undefined },
  ])("of version $version is: $says", async ({ version, says }) => {
    const engine = {
      version: async () => {
        if (version === undefined) throw new Error("no engine");
        return { Version: version } as Awaited<ReturnType<Docker["version"]>>;
      },
    };
    const advice = await engineAdvice(engine as Pick<Docker, "version">);
    if (says === undefined) expect(advice).toBeUndefined();
    else expect(advice).toContain(says);
  });
});

describe("an engine that is not there", () => {
  it.each([
    { name: "no socket", options: { socketPath: "/nonexistent/docker.sock" }, code: "ENOENT" },
    { name: "nobody at the address", options: { host: "127.0.0.1", port: 1 }, code: "ECONNREFUSED" },
  ])("is told as that, and may be there later: $name", async ({ options, code }) => {
    const images = createImages(new Docker(options));
    await expect(images.ensure({ image: "busybox", onProgress: () => undefined })).rejects.toMatchObject({
      kind: "errored",
      message: `Cannot look for image "busybox": no Docker Engine answers (${code}); start it, or set DOCKER_HOST for the daemon`,
    });
  });
});
