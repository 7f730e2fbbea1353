import { describe, expect, it } from "vitest";
import { createFetch } from "#core/egress/fetch.ts";
import { createEgressPolicy } from "#core/egress/policy.ts";
import { StepFailure } from "#core/failure.ts";
import type { RepositoryAccess } from "#core/oci/registry-client.ts";
import { createRegistryClient } from "#core/oci/registry-client.ts";
import { openRepository } from "#core/oci/repository.ts";
import type { FakeRegistry, RegistryBehaviour } from "#test/support/fake-registry.ts";
import { ociIndex, registryCredentials, startFakeRegistry } from "#test/support/fake-registry.ts";

const fetch = createFetch({ policy: createEgressPolicy({ allow: ["127.0.0.1"] }) });

async function opened(behaviour: Partial<RegistryBehaviour> = {}, access: RepositoryAccess = {}) {
  const registry = await startFakeRegistry(behaviour);
  const client = createRegistryClient({ fetch, limits: { requestsPerSecond: 10_000, maxWaitSeconds: 2 } });
  return { registry, client, repository: openRepository(client, registry.repoURL, access) };
}

function pushTags(registry: FakeRegistry, count: number): string[] {
  const tags = Array.from({ length: count }, (_, at) => `t${at}`);
  for (const tag of tags) registry.push(tag, { tag }, ociIndex);
  return tags;
}

describe("listing the tags of an image repository", () => {
  it("reads all pages, however small the registry makes them", async () => {
    const { registry, repository } = await opened({ pageSize: 10 });
    const tags = pushTags(registry, 25);
    expect(await repository.listTags()).toEqual(tags);
    expect(registry.requests).toHaveLength(3);
  });

  it("asks for smaller pages where large ones are refused", async () => {
    const { registry, repository } = await opened({ strictPageSize: 1_000 });
    const tags = pushTags(registry, 3);
    expect(await repository.listTags()).toEqual(tags);
    expect(registry.requests).toEqual([
      "GET /v2/shop/web/tags/list?n=10000",
      "GET /v2/shop/web/tags/list?n=1000",
    ]);
  });

  it("follows no link to another server", async () => {
    const { registry, repository } = await opened();
    registry.behaviour.intercept = (_, response) => {
      response.writeHead(200, { link: '<http://127.0.0.1:1/v2/shop/web/tags/list>; rel="next"' });
      response.end('{"tags":["a"]}');
      return true;
    };
    await expect(repository.listTags()).rejects.toThrow("links to another server, http://127.0.0.1:1");
  });

  it("ends when a registry links in a circle", async () => {
    const { registry, repository } = await opened();
    registry.behaviour.intercept = (request, response) => {
      response.writeHead(200, { link: `<http://${registry.host}${request.url}>; rel="next"` });
      response.end('{"tags":["a"]}');
      return true;
    };
    expect(await repository.listTags()).toEqual(["a", "a"]);
  });

  it.each([
    { answer: "not json", says: "it is not JSON" },
    { answer: '{"tags":null}', says: undefined },
  ])("answers $answer with a clear error or no tags", async ({ answer, says }) => {
    const { registry, repository } = await opened();
    registry.behaviour.intercept = (_, response) => Boolean(response.end(answer));
    if (says === undefined) expect(await repository.listTags()).toEqual([]);
    else await expect(repository.listTags()).rejects.toThrow(says);
  });
});

describe("authentication", () => {
  it.each(["basic", "bearer"] as const)("answers a %s challenge once, and remembers", async (auth) => {
    const { registry, repository } = await opened({ auth }, { credentials: registryCredentials });
    const [tag = ""] = pushTags(registry, 1);
    expect(await repository.listTags()).toEqual([tag]);
    expect(await repository.digestOf(tag)).toMatch(/^sha256:/);
    const refused = auth === "basic" ? 1 : 2;
    expect(registry.requests).toHaveLength(2 + refused);
  });

  it.each([
    { auth: "basic", credentials: undefined, says: "none are configured for this repository" },
    {
      auth: "basic",
      credentials: { username: "joe", password: "wrong" },
      says: "refused the configured credentials",
    },
    { auth: "bearer", credentials: undefined, says: "none are configured for this repository" },
    {
      auth: "bearer",
      credentials: { username: "joe", password: "wrong" },
      says: "refused the configured credentials",
    },
  ] as const)("says $says ($auth)", async ({ auth, credentials, says }) => {
    const { repository } = await opened({ auth }, { credentials });
    await expect(repository.listTags()).rejects.toMatchObject({
      kind: "refused",
      message: expect.stringContaining(says),
    });
  });

  it("keeps the tokens of different credentials apart", async () => {
    const { registry, client, repository } = await opened(
      { auth: "bearer" },
      { credentials: registryCredentials },
    );
    await repository.listTags();
    const other = openRepository(client, registry.repoURL, {});
    await expect(other.listTags()).rejects.toThrow("none are configured");
  });

  it("keeps credentials from the server that blobs are redirected to", async () => {
    const { registry, repository } = await opened(
      { auth: "bearer", redirectBlobs: true },
      { credentials: registryCredentials },
    );
    registry.pushImage("1.0.0", { created: "2030-01-02T03:04:05Z" });
    const manifest = await repository.manifest("1.0.0");
    const digest = manifest?.kind === "image" ? manifest.image.config.digest : "";
    expect(await repository.config(digest)).toMatchObject({ created: "2030-01-02T03:04:05Z", os: "linux" });
    expect(registry.leaked).toEqual([]);
  });

  it("never puts secrets or a registry's own words into errors", async () => {
    const { registry, repository } = await opened({}, { credentials: registryCredentials });
    registry.behaviour.intercept = (_, response) => {
      response.writeHead(403, { "content-type": "application/json" });
      response.end('{"errors":[{"code":"DENIED","message":"<b>s3cret</b>"}]}');
      return true;
    };
    const error = await repository.listTags().catch((thrown: Error) => thrown);
    expect(String(error)).toContain("(DENIED)");
    expect(String(error)).not.toContain("s3cret");
  });
});

describe("a registry of another machine that knows no TLS", () => {
  const notTls = Object.assign(new Error("wrong version number"), { code: "EPROTO" });
  const fakeFetch = async (url: string | URL) => {
    if (String(url).startsWith("https:")) throw new StepFailure("errored", "no TLS", { cause: notTls });
    return Response.json({ tags: ["1.0.0"] });
  };
  const listWith = (credentials: RepositoryAccess["credentials"]) =>
    openRepository(createRegistryClient({ fetch: fakeFetch }), "10.0.0.7:5000/web", {
      credentials,
    }).listTags();

  it("is spoken to in plain HTTP without credentials, or with those that the operator lets go there", async () => {
    expect(await listWith(undefined)).toEqual(["1.0.0"]);
    expect(await listWith({ ...registryCredentials, overPlainHttp: true })).toEqual(["1.0.0"]);
  });

  it("is sent no credentials otherwise", async () => {
    await expect(listWith(registryCredentials)).rejects.toMatchObject({
      kind: "refused",
      message: expect.stringContaining("ALLOW_CREDENTIALS_OVER_HTTP=true"),
    });
  });
});

describe("content", () => {
  it("is checked against the digest it was asked for by", async () => {
    const { registry, repository } = await opened();
    const digest = registry.pushImage("1.0.0");
    registry.behaviour.intercept = (_, response) => Boolean(response.end('{"mediaType":"x"}'));
    await expect(repository.manifest(digest)).rejects.toThrow("gave other content than that");
  });

  it("that is missing is undefined", async () => {
    const { repository } = await opened();
    expect(await repository.manifest("none")).toBeUndefined();
    expect(await repository.digestOf("none")).toBeUndefined();
  });

  it("of an unknown kind is told as such", async () => {
    const { registry, repository } = await opened();
    registry.push("old", { schemaVersion: 1 }, "application/vnd.docker.distribution.manifest.v1+prettyjws");
    expect(await repository.manifest("old")).toMatchObject({ kind: "unknown" });
  });
});

describe("a registry that is asked too much", () => {
  it("is left alone for as long as it says, by everybody", async () => {
    const { registry, client, repository } = await opened();
    registry.behaviour.intercept = (_, response) => {
      response.writeHead(429, { "retry-after": "120" }).end();
      return true;
    };
    await expect(repository.listTags()).rejects.toMatchObject({ kind: "transient" });
    const before = registry.requests.length;
    const other = openRepository(client, `${registry.host}/shop/other`, {});
    await expect(other.listTags()).rejects.toThrow("asked for a pause until");
    expect(registry.requests).toHaveLength(before);
  });

  it("is asked again after a short pause", async () => {
    const { registry, repository } = await opened();
    pushTags(registry, 1);
    let refusals = 1;
    registry.behaviour.intercept = (_, response) => {
      if (refusals-- <= 0) return false;
      response.writeHead(503, { "retry-after": "1" }).end();
      return true;
    };
    await expect(repository.listTags()).rejects.toMatchObject({ kind: "transient" });
    expect(await repository.listTags()).toEqual(["t0"]);
  });
});

describe("an address that cannot be reached", () => {
  it("is refused by the egress rules by default", async () => {
    const registry = await startFakeRegistry();
    const client = createRegistryClient({ fetch: createFetch({ policy: createEgressPolicy() }) });
    await expect(openRepository(client, registry.repoURL).listTags()).rejects.toMatchObject({
      kind: "refused",
    });
    expect(registry.requests).toEqual([]);
  });

  it("fails as transient, naming the host", async () => {
    const client = createRegistryClient({ fetch });
    await expect(openRepository(client, "127.0.0.1:1/shop/web").listTags()).rejects.toMatchObject({
      kind: "transient",
      message: expect.stringContaining("127.0.0.1:1"),
    });
  });
});
