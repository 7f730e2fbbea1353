import { generateKeyPairSync, verify } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createGitHubAppProvider } from "#core/credentials/github-app.ts";
import type { CredentialRequest } from "#core/credentials/providers.ts";

const { privateKey, publicKey } = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  privateKeyEncoding: { type: "pkcs1", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
});

const cleanUps: (() => unknown)[] = [];
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp();
});

interface Seen {
  path: string;
  authorization: string;
  body: string;
}

/** GitHub Enterprise, as far as it is needed: knows its own tokens only from the `knownAfter`th question on. */
async function github({ knownAfter = 0, status = 201 } = {}) {
  const seen: Seen[] = [];
  let tokens = 0;
  let questions = 0;
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      seen.push({ path: request.url ?? "", authorization: request.headers.authorization ?? "", body });
      if (request.method === "GET") {
        response.writeHead(questions++ < knownAfter ? 404 : 200).end("{}");
        return;
      }
      tokens += 1;
      response
        .writeHead(status)
        .end(JSON.stringify({ token: `ghs_${tokens}`, expires_at: "2030-01-02T04:00:00Z" }));
    });
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  cleanUps.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { seen, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

let now = new Date("2030-01-02T03:00:00Z");
const provider = () => {
  now = new Date("2030-01-02T03:00:00Z");
  return createGitHubAppProvider({
    fetch: (url, { timeoutSeconds: _, ...options } = {}) => fetch(url, options as RequestInit),
    now: () => now,
    validationSeconds: [0, 0],
  });
};

const request = (repoURL: string, more: Partial<CredentialRequest> = {}): CredentialRequest => ({
  project: "shop",
  type: "git",
  repoURL,
  data: { githubAppClientID: "Iv1.abc", githubAppInstallationID: "42", githubAppPrivateKey: privateKey },
  annotations: {},
  ...more,
});

describe("a GitHub App", () => {
  it("gives a token for the one repository, asked for with a signature of its key", async () => {
    const { url, seen } = await github();
    expect(await provider().get(request(`${url}/team/app`))).toEqual({
      username: "kargo",
      password: "ghs_1",
    });
    const [asked, tried] = seen;
    expect(asked).toMatchObject({
      path: "/api/v3/app/installations/42/access_tokens",
      body: '{"repositories":["app"]}',
    });
    expect(tried).toMatchObject({ path: "/api/v3/repos/team/app", authorization: "Bearer ghs_1" });
    const [header = "", claims = "", signature = ""] =
      asked?.authorization.replace("Bearer ", "").split(".") ?? [];
    expect(
      verify(
        "RSA-SHA256",
        Buffer.from(`${header}.${claims}`),
        publicKey,
        Buffer.from(signature, "base64url"),
      ),
    ).toBe(true);
    expect(JSON.parse(Buffer.from(claims, "base64url").toString())).toEqual({
      iat: now.getTime() / 1000 - 60,
      exp: now.getTime() / 1000 + 540,
      iss: "Iv1.abc",
    });
  });

  it("gives the same token again until shortly before it runs out, and for another repository another", async () => {
    const { url } = await github();
    const app = provider();
    const ask = async (path: string) => (await app.get(request(`${url}${path}`)))?.password;
    expect(await Promise.all([ask("/team/app"), ask("/team/app")])).toEqual([
      await ask("/team/app"),
      await ask("/team/app"),
    ]);
    const first = await ask("/team/app");
    expect(await ask("/team/lib")).not.toBe(first);
    now = new Date("2030-01-02T03:54:59Z");
    expect(await ask("/team/app")).toBe(first);
    now = new Date("2030-01-02T03:55:01Z");
    expect(await ask("/team/app")).not.toBe(first);
  });

  it.each([
    { what: "is known at the second look", knownAfter: 1, looks: 2 },
    { what: "is not known after the last look", knownAfter: 99, looks: 2 },
  ])("waits for GitHub to know a token that $what", async ({ knownAfter, looks }) => {
    const { url, seen } = await github({ knownAfter });
    expect(await provider().get(request(`${url}/team/app`))).toMatchObject({ password: "ghs_1" });
    expect(seen.filter(({ path }) => path.startsWith("/api/v3/repos"))).toHaveLength(looks);
  });

  it("takes a key in base64, and an app by its older number", async () => {
    const { url } = await github();
    const data = {
      githubAppID: "7",
      githubAppInstallationID: "42",
      githubAppPrivateKey: Buffer.from(privateKey).toString("base64"),
    };
    expect(await provider().get(request(`${url}/team/app`, { data }))).toMatchObject({ password: "ghs_1" });
  });

  it.each([
    { scopes: '{"shop": ["app"]}', gives: true },
    { scopes: '{"shop": ["lib"]}', gives: false },
    { scopes: '{"bakery": ["app"]}', gives: false },
  ])("keeps to the scopes $scopes: $gives", async ({ scopes, gives }) => {
    const { url } = await github();
    const annotations = { "kargo.akuity.io/github-token-scopes": scopes };
    const found = await provider().get(request(`${url}/team/app`, { annotations }));
    expect(found !== undefined).toBe(gives);
  });

  it.each<{ why: string; more?: Partial<CredentialRequest>; status?: number; says: string }>([
    { why: "GitHub refuses", status: 401, says: "GitHub answered 401" },
    {
      why: "the key is none",
      more: { data: { githubAppID: "7", githubAppInstallationID: "42", githubAppPrivateKey: "nonsense" } },
      says: "no RSA key in PEM",
    },
    {
      why: "the installation is no number",
      more: { data: { githubAppID: "7", githubAppInstallationID: "../x", githubAppPrivateKey: privateKey } },
      says: 'installation ID "../x" is no number',
    },
    {
      why: "the scopes cannot be read",
      more: { annotations: { "kargo.akuity.io/github-token-scopes": "app" } },
      says: "Cannot read the annotation",
    },
  ])("says so when $why", async ({ more, status, says }) => {
    const { url } = await github({ status });
    await expect(provider().get(request(`${url}/team/app`, more))).rejects.toThrow(says);
  });

  it.each<{ what: string; more: Partial<CredentialRequest>; is: boolean }>([
    { what: "an app's data", more: {}, is: true },
    { what: "an image", more: { type: "image" }, is: false },
    { what: "an SSH address", more: { repoURL: "ssh://git@github.com/team/app" }, is: false },
    { what: "no key", more: { data: { githubAppID: "7", githubAppInstallationID: "42" } }, is: false },
    { what: "a user and password", more: { data: { username: "u", password: "p" } }, is: false },
  ])("supports $what: $is", ({ more, is }) => {
    expect(provider().supports({ ...request("https://github.com/team/app"), ...more })).toBe(is);
  });
});
