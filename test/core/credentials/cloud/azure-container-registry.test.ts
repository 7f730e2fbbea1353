import path from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createAcrMachineProvider } from "#core/credentials/cloud/azure-container-registry.ts";
import { type Answer, fakeCloud, requestFor } from "#test/core/credentials/cloud/support.ts";
import { once } from "#test/support/once.ts";
import { temporaryFolder } from "#test/support/step-context.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

const repoURL = "acme.azurecr.io/shop/web";

/** What the registry answers to whoever brings a token of the directory. */
let exchanged: Answer;

/** Azure with a managed identity. It is one for all tests, since Azure's library finds out only once where it runs. */
const shared = once(() =>
  fakeCloud(({ url }) => {
    if (url.includes("/oauth2/exchange")) return exchanged;
    return [200, { access_token: "directory", expires_in: "86399", resource: "x", token_type: "Bearer" }];
  }),
);

async function azure(exchange: Answer = [200, { refresh_token: "r3fresh" }]) {
  exchanged = exchange;
  const cloud = await shared();
  // Where Azure's library asks for the machine's identity, as it may be set for pods.
  vi.stubEnv("AZURE_POD_IDENTITY_AUTHORITY_HOST", cloud.url);
  return cloud;
}

describe("the machine's own identity at Azure", () => {
  it("gives a token of the registry, kept for less than its three hours", async () => {
    const { fetch, seen } = await azure();
    let now = Date.parse("2030-01-02T03:00:00Z");
    const provider = createAcrMachineProvider({ fetch, now: () => new Date(now), env: {} });
    const gives = { username: "00000000-0000-0000-0000-000000000000", password: "r3fresh" };
    expect(await provider.get(requestFor(repoURL))).toEqual(gives);
    now += 2.4 * 3_600_000;
    expect(await provider.get(requestFor(repoURL))).toEqual(gives);
    const exchanges = () => seen.filter(({ url }) => url === "https://acme.azurecr.io/oauth2/exchange");
    expect(exchanges()).toHaveLength(1);
    expect(Object.fromEntries(new URLSearchParams(exchanges()[0]?.body))).toEqual({
      grant_type: "access_token",
      service: "acme.azurecr.io",
      access_token: "directory",
    });
    now += 0.2 * 3_600_000;
    await provider.get(requestFor(repoURL));
    expect(exchanges()).toHaveLength(2);
  });

  it("says what cannot be read of a workload identity", async () => {
    const { fetch } = await azure();
    const env = {
      AZURE_FEDERATED_TOKEN_FILE: path.join(temporaryFolder(), "none"),
      AZURE_CLIENT_ID: "client",
      AZURE_TENANT_ID: "tenant",
      AZURE_AUTHORITY_HOST: "https://login.invalid/",
    };
    const provider = createAcrMachineProvider({ fetch, now: () => new Date(), env });
    await expect(provider.get(requestFor(repoURL))).rejects.toThrow(
      'a token for "acme.azurecr.io" as this machine',
    );
  });

  it.each([
    { answer: [401, {}] as Answer, kind: "refused", says: "the registry answered 401" },
    { answer: [503, {}] as Answer, kind: "transient", says: "the registry answered 503" },
    { answer: [200, {}] as Answer, kind: "errored", says: "holds no token" },
  ])("fails as $kind when $says", async ({ answer, kind, says }) => {
    const { fetch } = await azure(answer);
    const provider = createAcrMachineProvider({ fetch, now: () => new Date(), env: {} });
    await expect(provider.get(requestFor(repoURL))).rejects.toMatchObject({
      kind,
      message: expect.stringContaining(says),
    });
  });

  it.each([
    { supports: true, repoURL },
    { supports: true, repoURL, type: "helm" as const },
    { supports: false, repoURL, type: "git" as const },
    { supports: false, repoURL: "evil.example.com/acme.azurecr.io/web" },
  ])("is asked ($supports) for $type $repoURL", async ({ supports, repoURL, ...request }) => {
    const { fetch } = await azure();
    const provider = createAcrMachineProvider({ fetch, now: () => new Date(), env: {} });
    expect(provider.supports(requestFor(repoURL, request))).toBe(supports);
  });
});
