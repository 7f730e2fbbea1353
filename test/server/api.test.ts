import { describe, expect, it, onTestFinished } from "vitest";
import { createExpressions } from "#core/expressions/expressions.ts";
import type { Resource } from "#core/resources/resource.ts";
import { freight, project, promotion, secret, stage, warehouse } from "#test/server/support/resources.ts";
import { startTestServer, type TestServer } from "#test/server/support/test-server.ts";

const shop = "/v1beta1/projects/shop";

async function startWith(...resources: Resource[]): Promise<TestServer> {
  const server = await startTestServer();
  await server.put(project(), ...resources);
  return server;
}

async function status(response: Promise<Response>): Promise<number> {
  return (await response).status;
}

describe("listing projects", () => {
  it.each([
    { query: "", names: ["a-shop", "b-store", "c-shop"] },
    { query: "?filter=SHOP", names: ["a-shop", "c-shop"] },
    { query: "?pageSize=2", names: ["a-shop", "b-store"] },
    { query: "?pageSize=2&page=1", names: ["c-shop"] },
    { query: "?pageSize=2&page=9", names: [] },
  ])("by name, as asked for with '$query'", async ({ query, names }) => {
    const server = await startTestServer();
    await server.put(project("c-shop"), project("a-shop"), project("b-store"));
    const { items } = await server.json<{ items: Resource[] }>("GET", `/v1beta1/projects${query}`);
    expect(items.map(({ metadata }) => metadata.name)).toEqual(names);
  });
});

describe("querying freight", () => {
  const image = (tag: string) => ({ images: [{ repoURL: "ghcr.io/app", tag }] });
  const found = [
    freight("a", { ...image("1.10.0"), alias: "first", discoveredAt: "2030-01-01T00:00:00Z" }),
    freight("b", { ...image("1.9.0"), discoveredAt: "2030-01-02T00:00:00Z" }),
    freight("c", {
      commits: [{ repoURL: "https://example.com/x", id: "1" }],
      charts: [{ repoURL: "https://charts.example.com/", name: "app", version: "1.0.0" }],
      origin: { kind: "Warehouse", name: "other" },
      discoveredAt: "2030-01-03T00:00:00Z",
    }),
  ];

  it.each([
    { query: "", groups: { "": ["a", "b", "c"] } },
    { query: "?reverse=true", groups: { "": ["c", "b", "a"] } },
    { query: "?origins=app", groups: { "": ["a", "b"] } },
    { query: "?groupBy=image_repo&orderBy=tag", groups: { "ghcr.io/app": ["b", "a"] } },
    { query: "?groupBy=git_repo", groups: { "https://example.com/x": ["c"] } },
    { query: "?groupBy=git_repo&group=elsewhere", groups: {} },
    // What joining paths makes of a URL; Kargo's clients know it so.
    { query: "?groupBy=chart_repo", groups: { "https:/charts.example.com/app": ["c"] } },
    { query: "?stage=test", groups: { "": ["a", "b"] } },
  ])("answers '$query'", async ({ query, groups }) => {
    const server = await startWith(warehouse(), stage("test"), ...found);
    const answer = await server.json<{ groups: Record<string, { items: Resource[] }> }>(
      "GET",
      `${shop}/freight${query}`,
    );
    const names = Object.entries(answer.groups).map(([key, { items }]) => [
      key,
      items.map(({ metadata }) => metadata.name),
    ]);
    expect(Object.fromEntries(names)).toEqual(groups);
  });

  it.each(["?group=x", "?groupBy=color", "?orderBy=color", "?orderBy=tag", "?orderBy=tag&groupBy=git_repo"])(
    "refuses '%s'",
    async (query) => {
      const server = await startWith();
      expect(await status(server.call("GET", `${shop}/freight${query}`))).toBe(400);
    },
  );

  it("finds freight by name and by alias", async () => {
    const server = await startWith(...found);
    for (const name of ["a", "first"]) {
      expect(await server.json("GET", `${shop}/freight/${name}`)).toMatchObject({ metadata: { name: "a" } });
    }
    expect(await status(server.call("GET", `${shop}/freight/none`))).toBe(404);
  });

  it("renames freight, and keeps names apart", async () => {
    const server = await startWith(...found);
    expect(await status(server.call("PATCH", `${shop}/freight/b/alias?newAlias=second`))).toBe(200);
    expect(await server.json("GET", `${shop}/freight/second`)).toMatchObject({
      alias: "second",
      metadata: { name: "b", labels: { "kargo.akuity.io/alias": "second" } },
    });
    expect(await status(server.call("PATCH", `${shop}/freight/b/alias?newAlias=first`))).toBe(409);
    expect(await status(server.call("PATCH", `${shop}/freight/b/alias`))).toBe(400);
  });

  it("gives an alias that all want at once to one of them", async () => {
    const server = await startWith(...found);
    const rename = (name: string) =>
      status(server.call("PATCH", `${shop}/freight/${name}/alias?newAlias=wanted`));
    const answers = await Promise.all(["a", "b", "c"].map(rename));
    expect(answers.sort()).toEqual([200, 409, 409]);
  });
});

describe("promoting", () => {
  const known = [warehouse(), stage("test"), freight("abc", { alias: "quick-fox" })];

  it.each([
    { what: "by name", body: { freight: "abc" }, status: 201 },
    { what: "by alias", body: { freightAlias: "quick-fox", freight: "", origin: "" }, status: 201 },
    { what: "by origin", body: { origin: "Warehouse/app" }, status: 201 },
    { what: "nothing", body: {}, status: 400 },
    { what: "two things", body: { freight: "abc", freightAlias: "quick-fox" }, status: 400 },
    { what: "a strange origin", body: { origin: "Stage/test" }, status: 400 },
    { what: "unknown freight", body: { freight: "none" }, status: 404 },
    { what: "an unknown alias", body: { freightAlias: "none" }, status: 404 },
    { what: "to an unknown stage", stage: "none", body: { freight: "abc" }, status: 404 },
  ])("$what: $status", async ({ body, status: expected, ...rest }) => {
    const server = await startWith(...known);
    const path = `${shop}/stages/${"stage" in rest ? rest.stage : "test"}/promotions`;
    expect(await status(server.call("POST", path, body))).toBe(expected);
    expect(server.errors).toEqual([]);
  });

  it("approves what was not verified, for stages that ask for its origin", async () => {
    const others = stage("other", {
      requestedFreight: [{ origin: { kind: "Warehouse", name: "other" }, sources: { direct: true } }],
    });
    const server = await startWith(...known, others);
    expect(await status(server.call("POST", `${shop}/freight/quick-fox/approve?stage=test`))).toBe(200);
    expect(await status(server.call("POST", `${shop}/freight/abc/approve?stage=other`))).toBe(400);
    expect(await status(server.call("POST", `${shop}/freight/abc/approve?stage=none`))).toBe(404);
    expect(await status(server.call("POST", `${shop}/freight/abc/approve`))).toBe(400);
    const { items } = await server.json<{ items: object[] }>("GET", `${shop}/events`);
    expect(items).toMatchObject([
      { reason: "FreightApproved", involvedObject: { kind: "Freight", name: "abc" } },
    ]);
  });

  it("refreshes a stage together with the promotion that is under way", async () => {
    const running = stage("busy", {}, { currentPromotion: { name: "busy.1" } });
    const server = await startWith(running, promotion("busy.1", { stage: "busy", freight: "abc" }));
    expect(await status(server.call("POST", `${shop}/stages/busy/refresh`))).toBe(200);
    for (const ref of [
      { kind: "Stage", project: "shop", name: "busy" },
      { kind: "Promotion", project: "shop", name: "busy.1" },
    ]) {
      expect((await server.store.get(ref))?.metadata.annotations).toHaveProperty("kargo.akuity.io/refresh");
    }
    expect(await status(server.call("POST", `${shop}/stages/none/refresh`))).toBe(404);
  });
});

describe.each([
  { scope: "a project", path: shop, namespace: "shop" },
  { scope: "all projects", path: "/v1beta1/shared", namespace: "kargo-shared-resources" },
  { scope: "the installation", path: "/v1beta1/system", namespace: "kargo-system-resources" },
])("config maps of $scope", ({ path, namespace }) => {
  it("are created, changed and deleted", async () => {
    const server = await startWith();
    const folder = `${path}/configmaps`;
    const body = { name: "settings", description: "Colours", replicate: true, data: { a: "1", b: "2" } };
    expect(await server.json("POST", folder, body)).toMatchObject({
      metadata: { name: "settings", namespace },
    });
    expect(await status(server.call("POST", folder, body))).toBe(409);
    const patch = { data: { b: "3", c: "4" }, removeKeys: ["a"], description: "" };
    expect(await server.json("PATCH", `${folder}/settings`, patch)).toMatchObject({
      data: { b: "3", c: "4" },
      metadata: { annotations: { "kargo.akuity.io/replicate-to": "*" } },
    });
    expect(await status(server.call("PATCH", `${folder}/settings`, { removeKeys: ["b", "c"] }))).toBe(400);
    expect(await server.json("PUT", `${folder}/settings`, { data: { x: "y" } })).toMatchObject({
      data: { x: "y" },
      metadata: { annotations: {} },
    });
    const { items } = await server.json<{ items: Resource[] }>("GET", folder);
    expect(items.map(({ metadata }) => metadata.name)).toEqual(["settings"]);
    expect(await status(server.call("DELETE", `${folder}/settings`))).toBe(204);
    expect(await status(server.call("GET", `${folder}/settings`))).toBe(404);
  });
});

describe("credentials", () => {
  const folder = `${shop}/repo-credentials`;
  const git = {
    name: "hub",
    type: "git",
    repoUrl: "https://github.com/example",
    username: "robot",
    password: "hunter2",
  };
  const decoded = async ({ store }: TestServer, name: string) => {
    const found = (await store.get({ kind: "Secret", project: "shop", name })) as Resource & {
      data: Record<string, string>;
    };
    return Object.fromEntries(
      Object.entries(found.data).map(([key, value]) => [key, Buffer.from(value, "base64").toString()]),
    );
  };

  it("for repositories are kept as Kargo keeps them, and never told again", async () => {
    const server = await startWith();
    const created = await server.json("POST", folder, { ...git, repoUrlIsRegex: true });
    expect(created).toMatchObject({
      metadata: { labels: { "kargo.akuity.io/cred-type": "git" } },
      stringData: {
        repoURL: git.repoUrl,
        repoURLIsRegex: "true",
        username: "robot",
        password: "*** REDACTED ***",
      },
    });
    expect(created).not.toHaveProperty("data");
    expect(await decoded(server, "hub")).toEqual({
      repoURL: git.repoUrl,
      repoURLIsRegex: "true",
      username: "robot",
      password: "hunter2",
    });
    await server.call("PATCH", `${folder}/hub`, { repoUrl: "https://github.com/other", type: "helm" });
    expect(await decoded(server, "hub")).toEqual({
      repoURL: "https://github.com/other",
      username: "robot",
      password: "hunter2",
    });
    expect(await server.json("GET", `${folder}/hub`)).toMatchObject({
      metadata: { labels: { "kargo.akuity.io/cred-type": "helm" } },
    });
  });

  it.each(["name", "type", "repoUrl", "username", "password"])(
    "for repositories need a %s",
    async (field) => {
      const server = await startWith();
      const response = await server.call("POST", folder, { ...git, [field]: "" });
      expect(response.status).toBe(400);
      expect(await response.json()).toEqual({ error: `${field} should not be empty` });
    },
  );

  it("of one kind are not touched as another", async () => {
    const server = await startWith(secret("plain", { a: "b" }));
    await server.call("POST", folder, git);
    for (const path of [
      `${folder}/plain`,
      `${shop}/generic-credentials/hub`,
      `${shop}/generic-credentials/plain`,
    ]) {
      expect(await status(server.call("GET", path)), path).toBe(409);
      expect(await status(server.call("DELETE", path)), path).toBe(409);
      expect(await status(server.call("PATCH", path, { data: { a: "c" } })), path).toBe(409);
    }
    const { items } = await server.json<{ items: Resource[] }>("GET", `${shop}/generic-credentials`);
    expect(items).toEqual([]);
  });

  it("of any content keep what is not given anew", async () => {
    const server = await startWith();
    const path = `${shop}/generic-credentials`;
    await server.call("POST", path, { name: "api", data: { a: "1", b: "2", c: "3" } });
    await server.call("PUT", `${path}/api`, { data: { a: "", b: "hunter2" } });
    expect(await decoded(server, "api")).toEqual({ a: "1", b: "hunter2" });
    await server.call("PATCH", `${path}/api`, { data: { d: "4" }, removeKeys: ["a"] });
    expect(await decoded(server, "api")).toEqual({ b: "hunter2", d: "4" });
    expect(await status(server.call("PATCH", `${path}/api`, { removeKeys: ["b", "d"] }))).toBe(400);
    const text = await (await server.call("GET", `${path}/api`)).text();
    expect(text).not.toContain("hunter2");
  });
});

describe("looking things up", () => {
  it("tells which stages hold or held which images", async () => {
    const history = (...tags: string[]) => ({
      freightHistory: tags.map((tag) => ({
        id: tag,
        items: {
          "Warehouse/app": {
            name: tag,
            origin: { kind: "Warehouse" as const, name: "app" },
            images: [{ repoURL: "ghcr.io/app", tag }],
          },
        },
      })),
    });
    const server = await startWith(stage("test", {}, history("2", "1")), stage("prod", {}, history("1")));
    expect(await server.json("GET", `${shop}/images`)).toEqual({
      "ghcr.io/app": { tags: { "2": { stages: { test: 0 } }, "1": { stages: { test: 1, prod: 0 } } } },
    });
  });

  it("makes links, and tells which it cannot make", async () => {
    const links = [
      { title: "Logs", url: "https://logs.example.com/{{ .stage.metadata.name }}" },
      { title: "Prod only", url: "https://example.com", if: "stage.metadata.name == 'prod'" },
      { title: "Odd", url: "{{ lower .stage.metadata.name }}" },
    ];
    const metadata = { name: "shop", namespace: "shop" };
    const expressions = await createExpressions();
    onTestFinished(() => expressions.dispose());
    const server = await startTestServer({ expressions });
    await server.put(project(), stage("test"), {
      apiVersion: "kargo.akuity.io/v1alpha1",
      kind: "ProjectConfig",
      metadata,
      spec: { stageLinks: links },
    });
    expect(await server.json("GET", `${shop}/stages/test/links`)).toEqual({
      links: [{ title: "Logs", url: "https://logs.example.com/test" }],
      errors: [expect.stringContaining("lower .stage.metadata.name")],
    });
  });

  it("says what it does not do", async () => {
    const server = await startWith();
    expect(await status(server.call("POST", `${shop}/roles`, { name: "mine" }))).toBe(501);
    expect(await status(server.call("POST", `${shop}/roles/grants`, {}))).toBe(501);
  });
});
