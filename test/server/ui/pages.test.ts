import { describe, expect, it } from "vitest";
import type { Stage } from "#core/resources/stage.ts";
import { safeNext } from "#server/ui/login-page.ts";
import { arrange } from "#server/ui/pipeline-view.ts";
import { putPipeline, running } from "#test/server/support/pipeline.ts";
import { stage } from "#test/server/support/resources.ts";
import { startTestServer, type TestServer, testToken } from "#test/server/support/test-server.ts";

const origin = "http://localhost";

function form(
  server: TestServer,
  path: string,
  fields: Record<string, string>,
  headers: Record<string, string> = {},
) {
  return server.app.request(path, {
    method: "POST",
    body: new URLSearchParams(fields),
    headers: { Host: "localhost", ...headers },
  });
}

async function signIn(server: TestServer, token = testToken): Promise<string> {
  const response = await form(server, "/ui/login", { token, next: "/" }, { Origin: origin });
  return response.headers.get("set-cookie")?.split(";")[0] ?? "";
}

describe("the session of a browser", () => {
  it("is a cookie that scripts cannot read and other sites cannot send", async () => {
    const server = await startTestServer();
    const response = await form(
      server,
      "/ui/login",
      { token: testToken, next: "/?project=shop" },
      { Origin: origin },
    );
    expect(response.status).toBe(303);
    expect(response.headers.get("location")).toBe("/?project=shop");
    const cookie = response.headers.get("set-cookie") ?? "";
    expect(cookie).toMatch(/HttpOnly/);
    expect(cookie).toMatch(/SameSite=Strict/);
    // The server of the tests is reached over https from outside.
    expect(cookie).toMatch(/Secure/);
    expect(cookie).not.toContain(testToken);
  });

  it.each([
    { from: "another site", headers: { Origin: "https://evil.example.com" } },
    { from: "a page without an origin", headers: { Origin: "null" } },
    { from: "nobody knows where", headers: {} },
    { from: "another port", headers: { Origin: "http://localhost:8080" } },
  ])("does nothing for a form from $from", async ({ headers }) => {
    const server = await startTestServer();
    await putPipeline(server);
    const Cookie = await signIn(server);
    const sent = headers as Record<string, string>;
    const gate = `/gates/shop/${running}/approval`;
    expect((await form(server, gate, { decision: "release" }, { Cookie, ...sent })).status).toBe(403);
    expect((await form(server, "/ui/login", { token: testToken }, sent)).status).toBe(403);
    const api = await server.app.request("/v1beta1/projects/shop", {
      method: "DELETE",
      headers: { Cookie, ...sent },
    });
    expect(api.status).toBe(403);
    expect(await server.services.gates.get("shop", running, "approval")).toMatchObject({ state: "open" });
  });

  it("works for a form of our own, by whatever name we are called", async () => {
    const server = await startTestServer();
    await putPipeline(server);
    const Cookie = await signIn(server);
    const gate = `/gates/shop/${running}/approval`;
    const headers = { Cookie, Origin: "https://towpath.example.com" };
    expect((await form(server, gate, { decision: "deny", message: "no" }, headers)).status).toBe(303);
    expect(await server.services.gates.get("shop", running, "approval")).toMatchObject({ state: "denied" });
  });

  it("of a token for one project shows that project alone", async () => {
    const server = await startTestServer();
    await putPipeline(server);
    const path = "/v1beta1/projects/tools/roles/kargo-viewer/api-tokens";
    const made = await server.json<{ data: { token: string } }>("POST", path, { name: "ci" });
    const Cookie = await signIn(server, Buffer.from(made.data.token, "base64").toString());
    const page = await (await server.app.request("/?project=shop", { headers: { Cookie } })).text();
    expect(page).toContain("tools");
    expect(page).not.toContain("shop");
    expect(page).not.toContain("Release");
  });
});

describe("a gate's page", () => {
  const path = `/gates/shop/${running}/approval`;

  it("decides nothing by being looked at", async () => {
    const server = await startTestServer();
    await putPipeline(server);
    const Cookie = await signIn(server);
    const response = await server.app.request(path, { headers: { Cookie, Accept: "text/html" } });
    expect(await response.text()).toContain("Release 1.4.2 to prod?");
    expect(await server.services.gates.get("shop", running, "approval")).toMatchObject({ state: "open" });
  });

  it("is JSON for programs, and asks a browser to sign in", async () => {
    const server = await startTestServer();
    await putPipeline(server);
    expect(await server.json("GET", path)).toMatchObject({ step: "approval", state: "open" });
    const stranger = await server.app.request(path, { headers: { Accept: "text/html" } });
    expect(stranger.status).toBe(401);
    expect(await stranger.text()).toContain(`value="${path}"`);
  });

  it("says so when there is no such gate", async () => {
    const server = await startTestServer();
    await putPipeline(server);
    expect((await server.call("GET", `/gates/shop/${running}/clone`)).status).toBe(404);
  });
});

describe("where a login leads", () => {
  it.each([
    ["/", "/"],
    ["/?project=shop", "/?project=shop"],
    ["/gates/shop/a/b", "/gates/shop/a/b"],
    ["//evil.example.com", "/"],
    ["/\\evil.example.com", "/"],
    ["/%09/evil.example.com", "/%09/evil.example.com"],
    ["/\t/evil.example.com", "/"],
    ["https://evil.example.com", "/"],
    ["javascript:alert(1)", "/"],
    ["", "/"],
    [undefined, "/"],
  ])("%j leads to %s", (next, target) => {
    expect(safeNext(next)).toBe(target);
  });
});

describe("the order of stages", () => {
  const behind = (name: string, ...upstream: string[]) =>
    stage(name, {
      requestedFreight: [{ origin: { kind: "Warehouse", name: "app" }, sources: { stages: upstream } }],
    }) as unknown as Stage;
  const names = (stages: Stage[]) =>
    arrange(stages).map((column) => column.map(({ metadata }) => metadata.name));

  it("is their distance from the source", () => {
    expect(
      names([behind("prod", "east", "west"), behind("east", "test"), behind("west", "test"), behind("test")]),
    ).toEqual([["test"], ["east", "west"], ["prod"]]);
  });

  it("survives circles and stages that are not there", () => {
    const circle = [behind("a", "b"), behind("b", "a"), behind("c", "nowhere")];
    expect(names(circle).flat().sort()).toEqual(["a", "b", "c"]);
  });
});
