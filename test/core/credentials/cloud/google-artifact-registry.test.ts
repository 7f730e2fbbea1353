import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  createGarKeyProvider,
  createGarMachineProvider,
} from "#core/credentials/cloud/google-artifact-registry.ts";
import { type Answer, fakeCloud, requestFor } from "#test/core/credentials/cloud/support.ts";
import { temporaryFolder } from "#test/support/step-context.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

const repoURL = "europe-docker.pkg.dev/acme/shop/web";
const { privateKey } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
});
const account = { type: "service_account", client_email: "ci@acme.example.com", private_key: privateKey };
const toKey = (value: object) => ({
  gcpServiceAccountKey: Buffer.from(JSON.stringify(value)).toString("base64"),
});
const token: Answer = [200, { access_token: "t0ken", expires_in: 3600, token_type: "Bearer" }];

it.each([
  { address: "gcr.io/acme/web", isGoogles: true },
  { address: "eu.gcr.io/acme/web", isGoogles: true },
  { address: "europe-west1-docker.pkg.dev/acme/shop/web", isGoogles: true },
  { address: "evil.example.com/x.gcr.io/web", isGoogles: false },
  { address: "evil.example.com:443/x.gcr.io/web", isGoogles: false },
  { address: "evil.example.com/x-docker.pkg.dev/web", isGoogles: false },
  { address: "evilgcr.io/acme/web", isGoogles: false },
])("takes $address for one of Google's: $isGoogles", async ({ address, isGoogles }) => {
  const { fetch } = await fakeCloud(() => token);
  const request = requestFor(address);
  expect(createGarMachineProvider({ fetch, now: () => new Date() }).supports(request)).toBe(isGoogles);
  const withKey = requestFor(address, { data: toKey(account) });
  expect(createGarKeyProvider({ fetch, now: () => new Date() }).supports(withKey)).toBe(isGoogles);
});

describe("a service account's key of Google", () => {
  it("gives a token to read with, kept until shortly before its end", async () => {
    const { fetch, seen } = await fakeCloud(() => token);
    let now = Date.now();
    const provider = createGarKeyProvider({ fetch, now: () => new Date(now) });
    const get = () => provider.get(requestFor(repoURL, { data: toKey(account) }));
    expect(await get()).toEqual({ username: "oauth2accesstoken", password: "t0ken" });
    now += 50 * 60_000;
    await get();
    expect(seen).toHaveLength(1);
    expect(seen[0]?.url).toBe("https://oauth2.googleapis.com/token");
    const [, claims = ""] = (new URLSearchParams(seen[0]?.body).get("assertion") ?? "").split(".");
    expect(JSON.parse(Buffer.from(claims, "base64url").toString())).toMatchObject({
      iss: "ci@acme.example.com",
      scope: "https://www.googleapis.com/auth/devstorage.read_only",
    });
    now += 6 * 60_000;
    await get();
    expect(seen).toHaveLength(2);
  });

  it("sends nothing to an address that the key names", async () => {
    const { fetch, seen } = await fakeCloud(() => token);
    const provider = createGarKeyProvider({ fetch, now: () => new Date() });
    const data = toKey({
      ...account,
      token_uri: "https://evil.example.com/token",
      universe_domain: "evil.example.com",
    });
    await provider.get(requestFor(repoURL, { data }));
    expect(seen.map(({ url }) => url)).toEqual(["https://oauth2.googleapis.com/token"]);
  });

  it.each([
    { what: "is no JSON", data: { gcpServiceAccountKey: "bm8=" }, answer: token, says: "as JSON in base64" },
    {
      what: "lacks its account",
      data: toKey({ private_key: privateKey }),
      answer: token,
      says: "as JSON in base64",
    },
    {
      what: "was revoked",
      data: toKey(account),
      answer: [400, { error: "invalid_grant" }],
      says: "answered 400",
    },
  ] as const)("that $what says so", async ({ data, answer, says }) => {
    const { fetch } = await fakeCloud(() => answer as Answer);
    const provider = createGarKeyProvider({ fetch, now: () => new Date() });
    await expect(provider.get(requestFor(repoURL, { data }))).rejects.toMatchObject({
      kind: "refused",
      message: expect.stringContaining(says),
    });
  });

  it.each([
    { supports: true, repoURL },
    { supports: true, repoURL: "gcr.io/acme/web", type: "helm" as const },
    { supports: true, repoURL: "eu.gcr.io/acme/web" },
    { supports: false, repoURL, type: "git" as const },
    { supports: false, repoURL, data: {} },
    { supports: false, repoURL: "evilgcr.io/acme/web" },
  ])("is asked ($supports) for $type $repoURL with $data", async ({ supports, repoURL, ...request }) => {
    const { fetch } = await fakeCloud(() => token);
    const provider = createGarKeyProvider({ fetch, now: () => new Date() });
    expect(provider.supports(requestFor(repoURL, { data: toKey(account), ...request }))).toBe(supports);
  });
});

describe("the machine's own identity at Google", () => {
  /** Google with a machine whose project may have an account of its own. */
  async function google(projectAnswer: Answer) {
    const cloud = await fakeCloud(({ url }) => {
      if (url.includes("/token"))
        return [200, { access_token: "machine", expires_in: 3600, token_type: "Bearer" }];
      if (url.endsWith("/project/project-id")) return [200, "acme"];
      if (url.includes(":generateAccessToken")) return projectAnswer;
      return [200, "ok"];
    });
    // What Google's library has for machines of which one cannot tell that they are Google's.
    vi.stubEnv("GCE_METADATA_HOST", cloud.url);
    vi.stubEnv("METADATA_SERVER_DETECTION", "assume-present");
    vi.stubEnv("HOME", temporaryFolder());
    return cloud;
  }

  it.each([
    {
      who: "the project's own account",
      answer: [200, { accessToken: "project", expireTime: "2100-01-01T00:00:00Z" }] as Answer,
      is: "project",
    },
    { who: "the machine where the project has none", answer: [404, { error: {} }] as Answer, is: "machine" },
    { who: "the machine where it may not be the project's", answer: [403, {}] as Answer, is: "machine" },
  ])("is used as $who", async ({ answer, is }) => {
    const { fetch, seen } = await google(answer);
    const provider = createGarMachineProvider({ fetch, now: () => new Date() });
    const gives = { username: "oauth2accesstoken", password: is };
    expect(await provider.get(requestFor(repoURL))).toEqual(gives);
    expect(await provider.get(requestFor(repoURL))).toEqual(gives);
    const asked = seen.filter(({ url }) => url.includes("generateAccessToken"));
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({
      url: expect.stringContaining("/kargo-project-shop@acme.iam.gserviceaccount.com:"),
      headers: { authorization: "Bearer machine" },
    });
  });

  it("fails when Google is not well", async () => {
    const { fetch } = await google([503, {}]);
    const provider = createGarMachineProvider({ fetch, now: () => new Date() });
    await expect(provider.get(requestFor(repoURL))).rejects.toMatchObject({ kind: "transient" });
  });

  it("says that a machine has none", async () => {
    const { fetch } = await google([404, {}]);
    vi.stubEnv("GOOGLE_APPLICATION_CREDENTIALS", path.join(temporaryFolder(), "none.json"));
    writeFileSync(process.env.GOOGLE_APPLICATION_CREDENTIALS ?? "", "{}");
    const provider = createGarMachineProvider({ fetch, now: () => new Date() });
    await expect(provider.get(requestFor(repoURL))).rejects.toThrow("as this machine");
  });
});
