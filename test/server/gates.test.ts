import { describe, expect, it } from "vitest";
import type { GateQuestion } from "#core/gate.ts";
import { newGate } from "#core/promotion/gate-resource.ts";
import { project } from "#test/server/support/resources.ts";
import { startTestServer, type TestServer } from "#test/server/support/test-server.ts";

const promotion = "prod.01h00000000000000000000000.1111111";
const owner = { project: "shop", stage: "prod", promotion, promotionUid: "1", alias: "ask" };
const api = `/v1beta1/projects/shop/gates/${promotion}/ask`;
const page = `/gates/shop/${promotion}/ask`;

async function serverWith(asks?: GateQuestion): Promise<TestServer> {
  const server = await startTestServer();
  await server.put(project(), newGate(owner, { message: "Go?", asks }));
  return server;
}

/** Calls as somebody with a token of the project. */
async function caller(server: TestServer, role: string, name: string) {
  const path = `/v1beta1/projects/shop/roles/${role}/api-tokens`;
  const made = await server.json<{ data: { token: string } }>("POST", path, { name });
  const Authorization = `Bearer ${Buffer.from(made.data.token, "base64")}`;
  return {
    post: async (path: string, body: unknown) => {
      const response = await server.call("POST", path, body, { Authorization });
      return { status: response.status, body: await response.json() };
    },
    page: async () =>
      (await server.call("GET", page, undefined, { Authorization, Accept: "text/html" })).text(),
    form: (path: string, fields: Record<string, string>) =>
      server.app.request(path, {
        method: "POST",
        body: new URLSearchParams(fields),
        headers: { Authorization },
      }),
  };
}

const approval: GateQuestion = {
  kind: "approval",
  minApprovals: 2,
  responders: [{ role: "kargo-viewer" }, { claim: "sub", value: "token:shop/lead", required: true }],
};

describe("a gate that asks for approvals", () => {
  it("counts everybody whom it asks by their tokens, viewers too", async () => {
    const server = await serverWith(approval);
    const viewer = await caller(server, "kargo-viewer", "jo");
    const lead = await caller(server, "kargo-promoter", "lead");
    const other = await caller(server, "kargo-promoter", "other");
    expect(await viewer.post(`${api}/respond`, { action: "approve" })).toMatchObject({
      status: 200,
      body: { state: "open", responses: [{ user: "token:shop/jo", action: "approve" }] },
    });
    expect((await viewer.post(`${api}/respond`, { action: "approve" })).status).toBe(409);
    expect((await other.post(`${api}/respond`, { action: "approve" })).status).toBe(403);
    expect((await other.post(`${api}/release`, {})).status).toBe(403);
    expect(await lead.post(`${api}/respond`, { action: "approve", message: "fine" })).toMatchObject({
      status: 200,
      body: { state: "released", by: "token:shop/lead" },
    });
    expect((await lead.post(`${api}/respond`, { action: "reject" })).status).toBe(409);
  });

  it("takes a release for an approval, and a denial for a rejection", async () => {
    const server = await serverWith({ kind: "approval", minApprovals: 2, responders: [] });
    const one = await caller(server, "kargo-promoter", "one");
    expect(await one.post(`${api}/release`, {})).toMatchObject({ status: 200, body: { state: "open" } });
    expect((await one.post(`${api}/release`, {})).status).toBe(409);
    expect(await one.post(`${api}/deny`, {})).toMatchObject({ status: 200, body: { state: "denied" } });
  });

  it("offers its page's buttons to those whom it asks, and takes their answers", async () => {
    const server = await serverWith(approval);
    const viewer = await caller(server, "kargo-viewer", "jo");
    const other = await caller(server, "kargo-promoter", "other");
    expect(await other.page()).not.toContain('<form method="post" action="/gates');
    expect(await viewer.page()).toContain('value="approve"');
    const fields = { action: "reject", message: "<b>no</b>" };
    expect((await other.form(`${page}/respond`, fields)).status).toBe(403);
    expect((await viewer.form(`${page}/respond`, fields)).headers.get("location")).toBe(page);
    expect(await viewer.page()).toContain("&lt;b&gt;no&lt;/b&gt;");
  });

  it.each([{}, { values: {} }, { action: "approve", values: {} }, { action: "maybe" }, { decision: "x" }])(
    "refuses %j",
    async (body) => {
      const server = await serverWith({ ...approval, responders: [] });
      expect((await server.call("POST", `${api}/respond`, body)).status).toBe(400);
      expect(await server.services.gates.get("shop", promotion, "ask")).toMatchObject({ state: "open" });
    },
  );
});

describe("a gate that asks for input", () => {
  const input: GateQuestion = {
    kind: "input",
    responders: [],
    schema: {
      type: "object",
      required: ["count"],
      properties: {
        count: { type: "integer", minimum: 1, title: '<script>"', description: "How many" },
        level: { enum: ["low", "high"], default: "low" },
        urgent: { type: "boolean" },
        note: { type: "string", maxLength: 5 },
        tags: { type: "array", items: { type: "string" } },
      },
    },
  };

  it("shows a form with a field for each property, in which texts are texts", async () => {
    const viewer = await caller(await serverWith(input), "kargo-viewer", "jo");
    const html = await viewer.page();
    expect(html).toMatch(/<input type="number" step="1" [^>]*name="input.count"[^>]* required>/);
    expect(html).toMatch(/<option value="low" selected>/);
    expect(html).toMatch(/<textarea [^>]*name="input.tags"/);
    expect(html).toContain("&lt;script&gt;&quot;");
    expect(html).not.toContain('<script>"');
  });

  it("takes the form's values as the schema wants them", async () => {
    const server = await serverWith(input);
    const viewer = await caller(server, "kargo-viewer", "jo");
    const wrong = await viewer.form(`${page}/respond`, { "input.count": "0", "input.note": "too long" });
    expect(wrong.status).toBe(400);
    const refused = await wrong.text();
    expect(refused).toMatch(/count must be &gt;= 1; note must NOT have more than 5 characters/);
    // What was filled in is still there, and stays: the page is not brought up to date under somebody's hands.
    expect(refused).toContain('value="too long"');
    expect(refused).toContain('<body data-page="refused">');
    const fields = { "input.count": "3", "input.urgent": "true", "input.note": "", "input.tags": '["a"]' };
    expect((await viewer.form(`${page}/respond`, fields)).status).toBe(303);
    expect(await server.store.get({ kind: "Gate", project: "shop", name: `${promotion}.ask` })).toMatchObject(
      {
        status: {
          state: "released",
          by: "token:shop/jo",
          values: { count: 3, urgent: true, tags: ["a"] },
        },
      },
    );
  });

  it("takes JSON from programs, and checks it as well", async () => {
    const server = await serverWith(input);
    expect((await server.call("POST", `${api}/release`)).status).toBe(400);
    expect((await server.call("POST", `${api}/respond`, { values: { count: "3" } })).status).toBe(400);
    expect((await server.call("POST", `${api}/respond`, { values: { count: 3 } })).status).toBe(200);
  });
});

describe("a plain gate", () => {
  it("is decided by those who may promote, and takes no responses", async () => {
    const server = await serverWith();
    const viewer = await caller(server, "kargo-viewer", "jo");
    expect((await viewer.post(`${api}/respond`, { action: "approve" })).status).toBe(400);
    expect((await viewer.post(`${api}/release`, {})).status).toBe(403);
    expect((await server.call("POST", `${api}/release`)).status).toBe(200);
  });
});
