import type { JWTPayload } from "jose";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { describe, expect, it } from "vitest";
import type { GateQuestion } from "#core/gate.ts";
import { newGate } from "#core/promotion/gate-resource.ts";
import { type OidcSettings, oidcSettingsFrom } from "#server/auth/oidc-settings.ts";
import { createOidcVerifier } from "#server/auth/oidc-verifier.ts";
import { project } from "#test/server/support/resources.ts";
import { startTestServer, type TestServer } from "#test/server/support/test-server.ts";
import { serve } from "#test/support/http-server.ts";

const now = () => new Date("2030-01-02T03:04:05.000Z");
const seconds = now().getTime() / 1000;
const keys = await generateKeyPair("RS256");
const otherKeys = await generateKeyPair("RS256");
const jwk = { ...(await exportJWK(keys.publicKey)), kid: "k1", alg: "RS256" };
const promotion = "prod.01h00000000000000000000000.1111111";
const api = `/v1beta1/projects/shop/gates/${promotion}/ask`;

/** An identity provider with one key, and a daemon that takes its tokens. */
async function setUp(env: Record<string, string> = {}, asks?: GateQuestion) {
  const { url } = await serve((request, response) => {
    const discovery = { issuer: url, jwks_uri: `${url}/keys` };
    const body = request.url === "/keys" ? { keys: [jwk] } : discovery;
    response.setHeader("Content-Type", "application/json").end(JSON.stringify(body));
  });
  const settings = oidcSettingsFrom({
    OIDC_ISSUER_URL: url,
    OIDC_CLIENT_ID: "towpath",
    OIDC_CLI_CLIENT_ID: "towpath-cli",
    TOWPATH_OIDC_VIEWERS: '{"groups": ["developers"]}',
    TOWPATH_OIDC_PROMOTERS: '{"email": "sam@example.com"}',
    TOWPATH_OIDC_ADMINS: '{"groups": ["platform"]}',
    ...env,
  }) as OidcSettings;
  const server = await startTestServer({
    oidc: createOidcVerifier(settings, { fetch: (at, init) => fetch(at, init), now }),
  });
  const owner = { project: "shop", stage: "prod", promotion, promotionUid: "1", alias: "ask" };
  await server.put(project(), newGate(owner, { message: "Go?", asks }));
  return { server, issuer: url };
}

interface Forged {
  key?: Parameters<SignJWT["sign"]>[0];
  alg?: string;
  expires?: number;
}

const jo = { sub: "1", email: "jo@example.com", groups: ["developers"] };

function tokenFor(
  issuer: string,
  claims: JWTPayload,
  { key = keys.privateKey, alg = "RS256", expires }: Forged = {},
) {
  return new SignJWT({ iss: issuer, aud: "towpath", ...claims })
    .setProtectedHeader({ alg, kid: "k1" })
    .setExpirationTime(expires ?? seconds + 600)
    .sign(key);
}

const call = (server: TestServer, token: string, method: string, path: string, body?: unknown) =>
  server.call(method, path, body, { Authorization: `Bearer ${token}` });

describe("tokens of an identity provider", () => {
  it.each([
    { who: "a viewer", claims: jo, statuses: [200, 403, 403], actor: "email:jo@example.com" },
    {
      who: "a promoter",
      claims: { sub: "2", email: "sam@example.com" },
      statuses: [200, 200, 403],
      actor: "email:sam@example.com",
    },
    {
      who: "an administrator",
      claims: { sub: "3", groups: ["platform"] },
      statuses: [200, 200, 200],
      actor: "subject:3",
    },
    { who: "a viewer of the command line", claims: { ...jo, aud: "towpath-cli" }, statuses: [200, 403, 403] },
  ])("let $who do what the role may", async ({ claims, statuses, actor }) => {
    const { server, issuer } = await setUp();
    const token = await tokenFor(issuer, claims);
    const answers = [
      await call(server, token, "GET", "/v1beta1/projects"),
      await call(server, token, "POST", `${api}/release`),
      await call(server, token, "GET", "/v1beta1/system/audit"),
    ];
    expect(answers.map(({ status }) => status)).toEqual(statuses);
    if (statuses[1] === 200)
      expect(await server.services.gates.get("shop", promotion, "ask")).toMatchObject({ by: actor });
  });

  it.each<[string, JWTPayload, Forged?]>([
    ["nobody has let in", { sub: "9", groups: ["others"] }],
    ["have no claims", { sub: "9" }],
    ["have an empty claim", { sub: "9", groups: [""] }],
    [
      "have an address that nobody has checked",
      { sub: "2", email: "sam@example.com", email_verified: false },
    ],
    [
      "have an address that nobody has checked, and say so in text",
      { sub: "2", email: "sam@example.com", email_verified: "false" },
    ],
    ["are for somebody else", { ...jo, aud: "other" }],
    ["have no subject", { ...jo, sub: undefined }],
    ["have expired", jo, { expires: seconds - 60 }],
    ["are not valid yet", { ...jo, nbf: seconds + 600 }],
    ["are of another issuer", { ...jo, iss: "https://evil.example.com" }],
    ["are signed with another key", jo, { key: otherKeys.privateKey }],
    ["are signed with the public key as a secret", jo, { alg: "HS256", key: Buffer.from(jwk.n ?? "") }],
  ])("are refused when they %s", async (_, claims, forged) => {
    const { server, issuer } = await setUp();
    const token = await tokenFor(issuer, claims, forged);
    expect((await call(server, token, "GET", "/v1beta1/projects")).status).toBe(401);
  });

  it("cannot be checked while the provider is away, which is no fault of theirs", async () => {
    const settings = oidcSettingsFrom({ OIDC_ISSUER_URL: "http://127.0.0.1:9", OIDC_CLIENT_ID: "towpath" });
    const oidc = createOidcVerifier(settings as OidcSettings, { fetch: (at, init) => fetch(at, init), now });
    const server = await startTestServer({ oidc });
    const token = await tokenFor("http://127.0.0.1:9", jo);
    expect((await call(server, token, "GET", "/v1beta1/projects")).status).toBe(503);
    expect((await server.call("GET", "/v1beta1/projects")).status).toBe(200);
  });

  it("are what clients are told to get", async () => {
    const { server, issuer } = await setUp({ OIDC_ADDITIONAL_SCOPES: "groups" });
    expect(await server.json("GET", "/v1beta1/system/public-server-config")).toEqual({
      adminAccountEnabled: true,
      skipAuth: false,
      oidcConfig: {
        issuerUrl: issuer,
        clientId: "towpath",
        cliClientId: "towpath-cli",
        scopes: ["openid", "profile", "email", "groups"],
      },
    });
  });
});

describe("roles and claims at a gate", () => {
  const approval: GateQuestion = {
    kind: "approval",
    minApprovals: 2,
    responders: [{ claim: "groups", value: "leads", required: true }, { role: "release-manager" }],
  };

  function account(name: string, annotations: Record<string, string>, namespace = "shop") {
    return { apiVersion: "v1", kind: "ServiceAccount", metadata: { name, namespace, annotations } };
  }

  it("let those in whom the gate asks, each once", async () => {
    const { server, issuer } = await setUp({}, { ...approval, excluded: "lee@example.com" });
    const annotations = { "rbac.kargo.akuity.io/claims": '{"email": ["jo@example.com"]}' };
    await server.put(account("release-manager", annotations));
    const approve = async (claims: JWTPayload) => {
      const token = await tokenFor(issuer, { groups: ["developers"], ...claims });
      return (await call(server, token, "POST", `${api}/respond`, { action: "approve" })).status;
    };
    expect(await approve({ sub: "5", email: "max@example.com" })).toBe(403);
    expect(await approve(jo)).toBe(200);
    expect(await approve({ ...jo, groups: ["developers", "leads"] })).toBe(409);
    expect(await approve({ sub: "6", email: "lee@example.com", groups: ["developers", "leads"] })).toBe(403);
    expect(await approve({ sub: "7", email: "kim@example.com", groups: ["developers", "leads"] })).toBe(200);
    expect(await server.services.gates.get("shop", promotion, "ask")).toMatchObject({
      state: "released",
      responses: [{ user: "email:jo@example.com" }, { user: "email:kim@example.com" }],
    });
  });

  it.each<{ sub: string | string[]; asked: string; status: number }>([
    { sub: "admin", asked: "admin", status: 403 },
    { sub: "token:shop/ci", asked: "token:shop/ci", status: 403 },
    { sub: "link:releases", asked: "link:releases", status: 403 },
    { sub: "link", asked: "link", status: 403 },
    { sub: "stage:test", asked: "stage:test", status: 403 },
    { sub: ["admin"], asked: "admin", status: 403 },
    { sub: "admin", asked: "email:jo@example.com", status: 200 },
    { sub: "administrator", asked: "administrator", status: 200 },
  ])("tell whoever the provider calls $sub from $asked: $status", async ({ sub, asked, status }) => {
    const responders = [{ claim: "sub", value: asked }];
    const { server, issuer } = await setUp({}, { kind: "approval", minApprovals: 1, responders });
    const token = await tokenFor(issuer, { ...jo, sub } as JWTPayload);
    const answer = await call(server, token, "POST", `${api}/respond`, { action: "approve" });
    expect(answer.status).toBe(status);
    const link = await call(server, token, "POST", `${api}/links`, { decision: "release" });
    expect(link.status).toBe(status === 200 ? 409 : 403);
  });

  it("give the rights of a project's role in that project, and links no more of them than they need", async () => {
    const { server, issuer } = await setUp();
    const token = await tokenFor(issuer, jo);
    await server.put(
      account("kargo-promoter", { "rbac.kargo.akuity.io/claim.groups": "others, developers" }),
      account("kargo-admin", { "rbac.kargo.akuity.io/claim.groups": "developers" }, "other"),
      account("everybody", { "rbac.kargo.akuity.io/claims": "{}", "rbac.kargo.akuity.io/claim.email": "" }),
    );
    expect((await call(server, token, "GET", "/v1beta1/projects/shop/audit")).status).toBe(403);
    const made = await call(server, token, "POST", `${api}/links`, { decision: "release" });
    const { pathname } = new URL(((await made.json()) as { url: string }).url);
    const body = Buffer.from(pathname.split("/").at(-1)?.split(".")[0] ?? "", "base64url").toString();
    expect(JSON.parse(body)).toMatchObject({
      b: "email:jo@example.com",
      r: "kargo-viewer",
      o: ["kargo-promoter"],
    });
    expect(body).not.toContain("developers");
    const form = new URLSearchParams({ decision: "release" });
    expect((await server.app.request(pathname, { method: "POST", body: form })).status).toBe(200);
  });
});

describe("settings of an identity provider", () => {
  it.each([
    { env: { OIDC_ISSUER_URL: "idp" }, why: /OIDC_ISSUER_URL "idp"/ },
    { env: { OIDC_ISSUER_URL: "https://idp.example.com" }, why: /OIDC_CLIENT_ID/ },
    {
      env: {
        OIDC_ISSUER_URL: "https://idp.example.com",
        OIDC_CLIENT_ID: "a",
        TOWPATH_OIDC_ADMINS: "platform",
      },
      why: /TOWPATH_OIDC_ADMINS: expected claims as JSON/,
    },
    {
      env: {
        OIDC_ISSUER_URL: "https://idp.example.com",
        OIDC_CLIENT_ID: "a",
        TOWPATH_OIDC_ADMINS: '{"a": 1}',
      },
      why: /TOWPATH_OIDC_ADMINS/,
    },
    {
      env: {
        OIDC_ISSUER_URL: "https://idp.example.com",
        OIDC_CLIENT_ID: "a",
        OIDC_USERNAME_CLAIM: "token",
      },
      why: /OIDC_USERNAME_CLAIM "token"/,
    },
  ])("$env are refused", ({ env, why }) => {
    expect(() => oidcSettingsFrom(env)).toThrow(why);
  });

  it("are none where no issuer is named", () => {
    expect(oidcSettingsFrom({ OIDC_CLIENT_ID: "a" })).toBeUndefined();
  });
});
