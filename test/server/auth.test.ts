import { request } from "node:http";
import { sign } from "hono/jwt";
import { describe, expect, it } from "vitest";
import { publicRoutes } from "#server/auth/public-routes.ts";
import { type Role, roles } from "#server/auth/roles.ts";
import { listen } from "#test/server/support/listen.ts";
import { freight, project, secret, stage } from "#test/server/support/resources.ts";
import { startTestServer, type TestServer, testToken } from "#test/server/support/test-server.ts";

/** Every route that the app has, with something for each of its parameters. */
function registeredRoutes({ app }: TestServer): { method: string; pattern: string; path: string }[] {
  const routes = app.routes.filter(({ path }) => path !== "/*");
  const unique = new Map(routes.map(({ method, path }) => [`${method} ${path}`, { method, pattern: path }]));
  return [...unique.values()].map((route) => ({ ...route, path: route.pattern.replace(/:[^/]+/g, "shop") }));
}

const seconds = () => Math.floor(Date.now() / 1000);
const claims = { iss: "towpath", aud: "towpath", sub: "admin", exp: seconds() + 3600 };

/** A session of this server that ended an hour ago. */
async function expiredSession(): Promise<string> {
  const server = await startTestServer({ limits: { sessionSeconds: -3600 } });
  const headers = { Authorization: `Bearer ${testToken}` };
  const answer = await server.app.request("/v1beta1/login", { method: "POST", headers });
  return ((await answer.json()) as { idToken: string }).idToken;
}

const strangers: [string, () => string | Promise<string>][] = [
  ["no token", () => ""],
  ["an empty token", () => "Bearer "],
  ["junk", () => "Bearer junk"],
  ["another scheme", () => `Basic ${Buffer.from(`admin:${testToken}`).toString("base64")}`],
  ["the token with something added", () => `Bearer ${testToken}x`],
  ["the token cut short", () => `Bearer ${testToken.slice(0, -1)}`],
  ["an expired session", async () => `Bearer ${await expiredSession()}`],
  ["a session signed with another key", async () => `Bearer ${await sign(claims, "another key", "HS256")}`],
  ["an unsigned session", () => `Bearer ${unsigned()}`],
  ["a made-up API token", () => "Bearer towpath.shop.ci.c2VjcmV0"],
  ["a token for a Secret that is no API token", () => "Bearer towpath.shop.other.c2VjcmV0"],
];

function unsigned(): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "none", typ: "JWT" })}.${part(claims)}.`;
}

describe("who may call", () => {
  it.each(strangers)("asks every route that is not public for a token: %s", async (_, authorization) => {
    const server = await startTestServer();
    await server.put(project(), secret("other", { hash: "x" }));
    const value = await authorization();
    const headers: Record<string, string> = value === "" ? {} : { Authorization: value };
    const routes = registeredRoutes(server);
    expect(routes.length).toBeGreaterThan(100);
    for (const { method, pattern, path } of routes) {
      const { status } = await server.app.request(path, { method, headers });
      if (publicRoutes.has(`${method} ${pattern}`)) expect.soft(status, `${method} ${path}`).not.toBe(401);
      else expect.soft(status, `${method} ${path}`).toBe(401);
    }
    expect(await server.store.get({ kind: "Project", name: "shop" })).toBeDefined();
  });

  it("has no public route that is not there", async () => {
    const server = await startTestServer();
    const registered = new Set(registeredRoutes(server).map(({ method, pattern }) => `${method} ${pattern}`));
    expect([...publicRoutes].filter((route) => !registered.has(route))).toEqual([]);
  });

  it.each([
    "//v1beta1/projects",
    "/v1beta1//projects",
    "/v1beta1/projects/",
    "/v1beta1/projects/.",
    "/V1BETA1/projects",
    "/v1beta1/PROJECTS",
    "/v1beta1%2Fprojects",
    "/v1beta1/%70rojects",
    "/%2e/v1beta1/projects",
    "/v1beta1/login/../projects",
    "/v1beta1/login/%2e%2e/projects",
    "/v1beta1/login/..%2fprojects",
    "/v1beta1/system/public-server-config/",
    "/v1beta1/system/public-server-config/..;/../../projects",
    "/v1beta1/projects;/v1beta1/login",
    "/v1beta1/projects?/v1beta1/login",
    "/v1beta1/projects%3f/healthz",
    "/healthz/../v1beta1/projects",
    "/webhook/github/..%2f..%2fv1beta1/projects",
  ])("tells nothing at %s", async (path) => {
    const server = await startTestServer();
    await server.put(project("a-project-that-nobody-should-see"));
    const { status, body } = await rawGet(await listen(server.app), path);
    expect([400, 401, 404]).toContain(status);
    expect(body).not.toContain("a-project-that-nobody-should-see");
  });

  it("logs in who knows the password, and nobody for longer by what that gave", async () => {
    const server = await startTestServer();
    const login = (password: string) =>
      server.app.request("/v1beta1/login", {
        method: "POST",
        headers: { Authorization: `Bearer ${password}` },
      });
    expect((await login("wrong")).status).toBe(403);
    const { idToken } = (await (await login(testToken)).json()) as { idToken: string };
    const headers = { Authorization: `Bearer ${idToken}` };
    expect((await server.app.request("/v1beta1/projects", { headers })).status).toBe(200);
    expect((await login(idToken)).status).toBe(403);
  });

  it("sends headers that keep pages and answers to themselves", async () => {
    const server = await startTestServer();
    const { headers } = await server.app.request("/healthz");
    expect(headers.get("content-security-policy")).toMatch(/default-src 'none'; script-src 'self';/);
    expect(headers.get("content-security-policy")).not.toContain("unsafe");
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("referrer-policy")).toBe("same-origin");
  });

  it("refuses to start with a token that can be guessed", async () => {
    await expect(startTestServer({ token: "secret" })).rejects.toThrow(/fewer than 16 characters/);
  });
});

describe("who may do what", () => {
  const operations = {
    view: ["GET", "/v1beta1/projects/shop/stages", undefined],
    promote: ["POST", "/v1beta1/projects/shop/stages/test/promotions", { freight: "abc" }],
    approve: ["POST", "/v1beta1/projects/shop/freight/abc/approve?stage=test", undefined],
    apply: ["PUT", "/v1beta1/resources", stage("test")],
    "promote by manifest": ["POST", "/v1beta1/resources", promotionManifest()],
    delete: ["DELETE", "/v1beta1/projects/shop/stages/test", undefined],
    "apply to another project": ["PUT", "/v1beta1/resources", inProject("other", stage("test"))],
    "look at another project": ["GET", "/v1beta1/projects/other/stages", undefined],
    "create a project": ["POST", "/v1beta1/resources", project("third")],
    "share credentials": ["POST", "/v1beta1/shared/generic-credentials", { name: "a", data: { b: "c" } }],
    "make a token": ["POST", "/v1beta1/projects/shop/roles/kargo-admin/api-tokens", { name: "more" }],
    "make a token by manifest": ["POST", "/v1beta1/resources", tokenManifest()],
    "read the metrics": ["GET", "/metrics", undefined],
    "read the audit log": ["GET", "/v1beta1/projects/shop/audit", undefined],
    "look at the installation": ["GET", "/v1beta1/system/generic-credentials", undefined],
  } as const;
  type Operation = keyof typeof operations;

  const inOneProject: Record<Role, Operation[]> = {
    "kargo-viewer": ["view"],
    "kargo-promoter": ["view", "promote", "approve", "promote by manifest"],
    "kargo-admin": [
      "view",
      "promote",
      "approve",
      "promote by manifest",
      "apply",
      "delete",
      "make a token",
      "read the audit log",
    ],
  };
  const looks: Operation[] = ["look at another project", "read the metrics", "look at the installation"];
  const everywhere: Record<Role, Operation[]> = {
    "kargo-viewer": [...inOneProject["kargo-viewer"], ...looks],
    "kargo-promoter": [...inOneProject["kargo-promoter"], ...looks],
    // Tokens come from their own route only, for everybody.
    "kargo-admin": (Object.keys(operations) as Operation[]).filter(
      (name) => name !== "make a token by manifest",
    ),
  };
  const cases = (Object.keys(roles) as Role[]).flatMap((role) => [
    { role, where: "shop", may: inOneProject[role] },
    { role, where: "kargo-system-resources", may: everywhere[role] },
  ]);

  it.each(cases)(
    "a token of $where with the role $role may do no more than that",
    async ({ role, where, may }) => {
      const allowed: string[] = [];
      for (const [name, [method, path, body]] of Object.entries(operations)) {
        const server = await startTestServer();
        const contents = [{ repoURL: "https://git.example.com/app", id: "1" }];
        await server.put(project(), project("other"), stage("test"), freight("abc", { commits: contents }));
        await server.put(inProject("other", stage("test")));
        const tokens = where === "shop" ? "/v1beta1/projects/shop" : "/v1beta1/system";
        const made = await server.json<{ data: { token: string } }>(
          "POST",
          `${tokens}/roles/${role}/api-tokens`,
          {
            name: "ci",
          },
        );
        const token = Buffer.from(made.data.token, "base64").toString();
        const response = await server.call(method, path, body, { Authorization: `Bearer ${token}` });
        expect(server.errors, name).toEqual([]);
        if (response.status < 400) allowed.push(name);
        else expect.soft(response.status, name).toBe(403);
      }
      expect(allowed.sort()).toEqual([...may].sort());
    },
  );

  it("keeps of a token nothing that could be used", async () => {
    const server = await startTestServer();
    await server.put(project());
    const made = await server.json<{ data: { token: string } }>(
      "POST",
      "/v1beta1/projects/shop/roles/kargo-viewer/api-tokens",
      { name: "ci" },
    );
    const token = Buffer.from(made.data.token, "base64").toString();
    const kept = JSON.stringify(await server.store.get({ kind: "Secret", project: "shop", name: "ci" }));
    expect(kept).not.toContain(token.split(".").at(-1));
    expect(kept).not.toContain(Buffer.from(token).toString("base64"));
  });

  function promotionManifest() {
    const metadata = { generateName: "p-", namespace: "shop" };
    return {
      apiVersion: "kargo.akuity.io/v1alpha1",
      kind: "Promotion",
      metadata,
      spec: { stage: "test", freight: "abc" },
    };
  }

  function tokenManifest() {
    return secret("sneaky", { hash: "x" }, { labels: { "rbac.kargo.akuity.io/api-token": "true" } });
  }

  function inProject<T extends { metadata: object }>(namespace: string, resource: T): T {
    return { ...resource, metadata: { ...resource.metadata, namespace } };
  }
});

/** Sends a path as it is: `fetch` would tidy it up. */
function rawGet(server: string, path: string): Promise<{ status: number; body: string }> {
  const { hostname, port } = new URL(server);
  return new Promise((resolve, reject) => {
    request({ hostname, port, path, method: "GET" }, async (response) => {
      const chunks = await response.toArray();
      resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() });
    })
      .on("error", reject)
      .end();
  });
}
