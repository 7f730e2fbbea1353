import { describe, expect, it } from "vitest";
import { createFetch } from "#core/egress/fetch.ts";
import { createEgressPolicy } from "#core/egress/policy.ts";
import type { RepositoryAccess } from "#core/oci/registry-client.ts";
import { createRegistryClient } from "#core/oci/registry-client.ts";
import { openRepository } from "#core/oci/repository.ts";
import { startDockerRegistry } from "#test/support/docker-registry.ts";
import { requirePart } from "#test/support/require-part.ts";

const fetch = createFetch({ policy: createEgressPolicy({ allow: ["127.0.0.1"] }) });

function open(host: string, access: RepositoryAccess = {}) {
  return openRepository(createRegistryClient({ fetch }), `${host}/shop/web`, access);
}

describe.skipIf(!(await requirePart("registry")))("Docker's own registry", () => {
  it("gives its tags, in as many pages as it likes, and its images", async () => {
    const registry = await startDockerRegistry();
    const digests = new Map<string, string>();
    for (const tag of ["1.0.0", "1.1.0", "latest"]) {
      digests.set(tag, await registry.push("shop/web", tag, { annotations: { tag } }));
    }
    const repository = open(registry.host);
    expect((await repository.listTags()).sort()).toEqual([...digests.keys()]);
    expect(await repository.digestOf("1.1.0")).toBe(digests.get("1.1.0"));
    const manifest = await repository.manifest("1.1.0");
    expect(manifest).toMatchObject({ kind: "image", image: { annotations: { tag: "1.1.0" } } });
    if (manifest?.kind !== "image") return;
    expect(await repository.config(manifest.image.config.digest)).toMatchObject({
      os: "linux",
      created: "2030-01-01T00:00:00Z",
    });
    expect(await repository.manifest("2.0.0")).toBeUndefined();
  });

  it("lets nobody in without its password", async () => {
    const registry = await startDockerRegistry({ password: true });
    await registry.push("shop/web", "1.0.0");
    const right = { username: "joe", password: "s3cret" };
    expect(await open(registry.host, { credentials: right }).listTags()).toEqual(["1.0.0"]);
    await expect(open(registry.host).listTags()).rejects.toThrow("none are configured");
    const wrong = { username: "joe", password: "guess" };
    await expect(open(registry.host, { credentials: wrong }).listTags()).rejects.toMatchObject({
      kind: "refused",
      message: expect.stringContaining("refused the configured credentials"),
    });
  });

  it("is trusted with an unknown certificate only when told to", async () => {
    const registry = await startDockerRegistry({ tls: true });
    await registry.push("shop/web", "1.0.0");
    expect(await open(registry.host, { insecureSkipTLSVerify: true }).listTags()).toEqual(["1.0.0"]);
    await expect(open(registry.host).listTags()).rejects.toThrow(/certificate/);
  });
});
