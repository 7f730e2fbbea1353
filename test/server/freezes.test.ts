import { describe, expect, it } from "vitest";
import { project, stage } from "#test/server/support/resources.ts";
import { startTestServer, testToken } from "#test/server/support/test-server.ts";

describe("freezes over HTTP", () => {
  it.each([
    { path: "/v1beta1/freeze", scope: {} },
    { path: "/v1beta1/projects/shop/freeze", scope: { project: "shop" } },
    { path: "/v1beta1/projects/shop/stages/test/freeze", scope: { project: "shop", stage: "test" } },
  ])("are made and ended at $path", async ({ path, scope }) => {
    const { put, call, json } = await startTestServer();
    await put(project(), stage("test"));
    const freeze = { ...scope, reason: "incident 42", actor: "admin", since: "2030-01-02T03:04:05.000Z" };
    expect(await json("PUT", path, { reason: "incident 42" })).toEqual(freeze);
    expect(await json("PUT", path, { reason: "incident 42" })).toEqual(freeze);
    expect(await json("GET", "/v1beta1/freezes")).toEqual({ items: [freeze] });
    expect(await json("GET", "/v1beta1/projects/shop/freezes")).toEqual({ items: [freeze] });
    expect((await call("DELETE", path)).status).toBe(204);
    expect((await call("DELETE", path)).status).toBe(404);
  });

  it.each([
    [{}, 400],
    [{ reason: " " }, 400],
    [{ reason: "x", until: "tomorrow" }, 400],
  ])("are refused for %j", async (body, status) => {
    const { put, call } = await startTestServer();
    await put(project());
    expect((await call("PUT", "/v1beta1/projects/shop/freeze", body)).status).toBe(status);
  });

  it("go with their project", async () => {
    const { put, call, store } = await startTestServer();
    await put(project(), stage("test"));
    await call("PUT", "/v1beta1/projects/shop/freeze", { reason: "x" });
    await call("PUT", "/v1beta1/projects/shop/stages/test/freeze", { reason: "x" });
    expect((await call("DELETE", "/v1beta1/projects/shop/stages/test")).status).toBe(204);
    expect(await store.list({ kind: "Freeze" })).toHaveLength(1);
    await call("DELETE", "/v1beta1/projects/shop");
    expect(await store.list({ kind: "Freeze" })).toEqual([]);
  });

  it("are shown on the status page, which makes and ends them too", async () => {
    const { put, app } = await startTestServer();
    await put(project(), stage("test"));
    const send = (path: string, fields: Record<string, string>, Cookie = "") =>
      app.request(path, {
        method: "POST",
        body: new URLSearchParams(fields),
        headers: { Host: "localhost", Origin: "http://localhost", Cookie },
      });
    const login = await send("/ui/login", { token: testToken, next: "/" });
    const [cookie = ""] = login.headers.get("set-cookie")?.split(";") ?? [];
    const page = async () => (await app.request("/?project=shop", { headers: { Cookie: cookie } })).text();
    expect(await page()).toContain("Stop the line");
    expect((await send("/ui/projects/shop/freeze", { reason: "<b>smoke</b>" }, cookie)).status).toBe(303);
    expect(await page()).toContain("is frozen: &lt;b&gt;smoke&lt;/b&gt;");
    expect((await send("/ui/projects/shop/unfreeze", {}, cookie)).status).toBe(303);
    expect(await page()).not.toContain("is frozen");
  });
});
