import { describe, expect, it } from "vitest";
import { freight, project, secret, stage } from "#test/server/support/resources.ts";
import { startTestServer } from "#test/server/support/test-server.ts";

const projectYaml = `
apiVersion: kargo.akuity.io/v1alpha1
kind: Project
metadata:
  name: shop
`;
const stageYaml = `
apiVersion: kargo.akuity.io/v1alpha1
kind: Stage
metadata:
  name: test
  namespace: shop
spec:
  requestedFreight:
    - origin: { kind: Warehouse, name: app }
      sources: { direct: true }
`;

interface Answer {
  results: Record<string, { metadata: Record<string, unknown> } | string>[];
  error: string;
}

describe("creating resources", () => {
  it("creates what a stream of manifests declares, projects first", async () => {
    const server = await startTestServer();
    const response = await server.call("POST", "/v1beta1/resources", `${stageYaml}---${projectYaml}`);
    expect(response.status).toBe(201);
    const { results } = (await response.json()) as Answer;
    expect(results.map((result) => Object.keys(result))).toEqual([
      ["createdResourceManifest"],
      ["createdResourceManifest"],
    ]);
    expect(results[0]).toMatchObject({ createdResourceManifest: { kind: "Project" } });
    expect(await server.store.get({ kind: "Stage", project: "shop", name: "test" })).toBeDefined();
  });

  it("takes JSON, alone and in an array", async () => {
    const server = await startTestServer();
    await server.call("POST", "/v1beta1/resources", project("one"));
    await server.call("POST", "/v1beta1/resources", [project("two"), project("three")]);
    const { items } = await server.json<{ items: unknown[] }>("GET", "/v1beta1/projects");
    expect(items).toHaveLength(3);
  });

  it("notes who created a project, whatever the manifest says", async () => {
    const server = await startTestServer();
    const annotations = { "kargo.akuity.io/create-actor": "email:somebody@example.com" };
    await server.call("POST", "/v1beta1/resources", {
      ...project(),
      metadata: { name: "shop", annotations },
    });
    const created = await server.store.get({ kind: "Project", name: "shop" });
    expect(created?.metadata.annotations).toEqual({ "kargo.akuity.io/create-actor": "admin" });
  });

  it.each([
    { what: "an empty body", body: " ", status: 400, error: "no resources found" },
    { what: "broken YAML", body: "kind: [", status: 400, error: "error decoding manifest" },
    { what: "a YAML bomb", body: bomb(), status: 400, error: "error decoding manifest" },
    { what: "a word", body: "one", status: 422, error: "expected a resource" },
    { what: "an unknown kind", body: "kind: Stgae\napiVersion: v1", status: 422, error: "unknown kind" },
    {
      what: "a kind of another group",
      body: stageYaml.replace("kargo.akuity.io/v1alpha1", "apps/v1"),
      status: 422,
      error: 'expected "kargo.akuity.io/v1alpha1"',
    },
    { what: "an unknown field", body: `${stageYaml}  color: red`, status: 422, error: "color" },
    {
      what: "no namespace",
      body: stageYaml.replace("  namespace: shop\n", ""),
      status: 422,
      error: "metadata.namespace",
    },
    { what: "no project", body: stageYaml, status: 404, error: 'there is no Project "shop"' },
    {
      what: "a step that nobody knows",
      body: `${projectYaml}---${stageYaml}  promotionTemplate: { spec: { steps: [{ uses: git-cloen }] } }`,
      status: 201,
      error: 'did you mean "git-clone"?',
    },
    {
      what: "stages in a circle",
      body: `${projectYaml}---${circle("a", "b")}---${circle("b", "a")}`,
      status: 201,
      error: "circle",
    },
    {
      what: "a reserved project",
      body: projectYaml.replace("shop", "kargo-shared-resources"),
      status: 409,
      error: "reserved",
    },
  ])("refuses $what with a clear error", async ({ body, status, error }) => {
    const server = await startTestServer();
    const response = await server.call("POST", "/v1beta1/resources", body);
    expect(response.status).toBe(status);
    expect(await response.text()).toContain(JSON.stringify(error).slice(1, -1));
    expect(server.errors).toEqual([]);
  });

  it("tells what exists already", async () => {
    const server = await startTestServer();
    await server.put(project());
    const response = await server.call("POST", "/v1beta1/resources", projectYaml);
    expect(response.status).toBe(409);
    expect(((await response.json()) as Answer).error).toContain("already exists");
  });

  it("does not let a bad manifest stop the good ones", async () => {
    const server = await startTestServer();
    const body = `${projectYaml}---\nkind: Nothing\n---${stageYaml}`;
    const response = await server.call("POST", "/v1beta1/resources", body);
    expect(response.status).toBe(201);
    const { results } = (await response.json()) as Answer;
    expect(results.map((result) => Object.keys(result)[0])).toEqual([
      "createdResourceManifest",
      "error",
      "createdResourceManifest",
    ]);
  });

  it("never answers with a Secret's values, and keeps plain values encoded", async () => {
    const server = await startTestServer();
    await server.put(project());
    const manifest = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "db", namespace: "shop", annotations: { last: "password: hunter2" } },
      stringData: { password: "hunter2" },
    };
    const response = await server.call("PUT", "/v1beta1/resources?upsert=true", manifest);
    const text = await response.text();
    expect(text).toContain("*** REDACTED ***");
    expect(text).not.toContain("hunter2");
    expect(text).not.toContain(Buffer.from("hunter2").toString("base64"));
    expect(await server.store.get({ kind: "Secret", project: "shop", name: "db" })).toMatchObject({
      data: { password: Buffer.from("hunter2").toString("base64") },
    });
  });

  it("does not take the place of a value for the value", async () => {
    const server = await startTestServer();
    await server.put(project(), secret("db", { password: "hunter2" }));
    const shown = { ...secret("db", {}), data: undefined, stringData: { password: "*** REDACTED ***" } };
    const response = await server.call("PUT", "/v1beta1/resources", shown);
    expect(response.status).toBe(422);
    expect(await server.store.get({ kind: "Secret", project: "shop", name: "db" })).toMatchObject({
      data: { password: Buffer.from("hunter2").toString("base64") },
    });
  });

  it("drops a status that comes with a manifest, and what only the daemon may say", async () => {
    const server = await startTestServer();
    await server.put(project());
    const manifest = stage("test", {}, { freightSummary: "a lie" });
    manifest.metadata.uid = "0";
    manifest.metadata.creationTimestamp = "1999-01-01T00:00:00Z";
    await server.call("POST", "/v1beta1/resources", manifest);
    const created = await server.store.get({ kind: "Stage", project: "shop", name: "test" });
    expect(created?.status).toBeUndefined();
    expect(created?.metadata.uid).not.toBe("0");
    expect(created?.metadata.creationTimestamp).not.toContain("1999");
  });

  it("builds a promotion from its stage, not from the manifest", async () => {
    const server = await startTestServer();
    await server.put(project(), stage("test"), freight("abc"));
    const manifest = {
      apiVersion: "kargo.akuity.io/v1alpha1",
      kind: "Promotion",
      metadata: { generateName: "promo-", namespace: "shop" },
      spec: { stage: "test", freight: "abc", steps: [{ uses: "http" }] },
    };
    const { results } = await server.json<Answer>("POST", "/v1beta1/resources", manifest);
    expect(results[0]).toMatchObject({ createdResourceManifest: { spec: { steps: [{ uses: "fail" }] } } });
  });
});

describe("updating resources", () => {
  it("refuses what is not there, unless it may create it", async () => {
    const server = await startTestServer();
    const refused = await server.call("PUT", "/v1beta1/resources", projectYaml);
    expect(refused.status).toBe(404);
    expect(await refused.json()).toEqual({ error: "resource does not exist" });
    const created = await server.json<Answer>("PUT", "/v1beta1/resources?upsert=true", projectYaml);
    expect(created.results[0]).toHaveProperty("createdResourceManifest");
    const updated = await server.json<Answer>("PUT", "/v1beta1/resources?upsert=true", projectYaml);
    expect(updated.results[0]).toHaveProperty("updatedResourceManifest");
  });

  it("keeps the status of what it replaces", async () => {
    const server = await startTestServer();
    await server.put(project(), stage("test", {}, { freightSummary: "1/1" }));
    await server.call("PUT", "/v1beta1/resources", stageYaml);
    expect(await server.store.get({ kind: "Stage", project: "shop", name: "test" })).toMatchObject({
      status: { freightSummary: "1/1" },
    });
  });

  it("does not change what freight is", async () => {
    const server = await startTestServer();
    await server.put(project(), freight("abc", { commits: [{ repoURL: "https://example.com/a", id: "1" }] }));
    const changed = freight("abc", { commits: [{ repoURL: "https://example.com/a", id: "2" }] });
    const response = await server.call("PUT", "/v1beta1/resources", changed);
    expect(response.status).toBe(422);
    expect(((await response.json()) as Answer).error).toContain("never changes");
  });
});

describe("deleting resources", () => {
  it("deletes by manifest, projects last and with all that is in them", async () => {
    const server = await startTestServer();
    await server.put(project(), stage("test"), stage("prod"), freight("abc"));
    const response = await server.call("DELETE", "/v1beta1/resources", `${projectYaml}---${stageYaml}`);
    expect(response.status).toBe(200);
    const { results } = (await response.json()) as Answer;
    expect(results).toMatchObject([
      { deletedResourceManifest: { kind: "Stage" } },
      { deletedResourceManifest: { kind: "Project" } },
    ]);
    expect(await server.store.list({ kind: "Stage" })).toEqual([]);
    expect(await server.store.list({ kind: "Freight" })).toEqual([]);
  });

  it("keeps freight that a stage holds", async () => {
    const server = await startTestServer();
    const held = { name: "abc", origin: { kind: "Warehouse" as const, name: "app" } };
    const status = { freightHistory: [{ id: "1", items: { "Warehouse/app": held } }] };
    await server.put(project(), freight("abc"), stage("test", {}, status));
    const response = await server.call("DELETE", "/v1beta1/projects/shop/freight/abc");
    expect(response.status).toBe(403);
    expect(((await response.json()) as Answer).error).toContain('in-use by stages ("test")');
  });

  it("lets freight forget a stage that is gone, with the stage's promotions", async () => {
    const server = await startTestServer();
    const marks = { verifiedIn: { test: {}, prod: {} }, approvedFor: { test: {} } };
    await server.put(project(), stage("test"), freight("abc", { status: marks }));
    await server.call("POST", "/v1beta1/projects/shop/stages/test/promotions", { freight: "abc" });
    expect((await server.call("DELETE", "/v1beta1/projects/shop/stages/test")).status).toBe(204);
    expect(await server.store.list({ kind: "Promotion" })).toEqual([]);
    const left = await server.store.get({ kind: "Freight", project: "shop", name: "abc" });
    expect(left?.status).toEqual({ verifiedIn: { prod: {} }, approvedFor: {} });
  });
});

/** A stage that takes what another one has verified. */
function circle(name: string, upstream: string): string {
  return stageYaml.replace("name: test", `name: ${name}`).replace("direct: true", `stages: [${upstream}]`);
}

/** Few bytes that unfold to a billion words. */
function bomb(): string {
  const levels = Array.from({ length: 9 }, (_, level) => {
    const items = Array.from({ length: 10 }, () => (level === 0 ? "ha" : `*a${level - 1}`));
    return `a${level}: &a${level} [${items.join(", ")}]`;
  });
  return levels.join("\n");
}
