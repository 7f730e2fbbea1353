import { request } from "node:http";
import { describe, expect, it } from "vitest";
import { listen } from "#test/server/support/listen.ts";
import { project, promotion, stage } from "#test/server/support/resources.ts";
import { openStream } from "#test/server/support/stream.ts";
import { startTestServer, testToken } from "#test/server/support/test-server.ts";

describe("the state of the daemon", () => {
  it("is healthy as long as it answers, and ready while all its loops turn", async () => {
    const loops = [
      { name: "scheduler", turning: true },
      { name: "logs", turning: true },
    ];
    const { app } = await startTestServer({ readiness: () => ({ loops }) });
    expect((await app.request("/readyz")).status).toBe(200);
    loops[1] = { name: "logs", turning: false };
    const response = await app.request("/readyz");
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ ready: false, stuck: ["logs"] });
    expect((await app.request("/healthz")).status).toBe(200);
  });

  it("is not ready once it is closing, and lets all streams go", async () => {
    const closing = new AbortController();
    const server = await startTestServer({ closing: closing.signal });
    await server.put(project());
    const stream = await openStream(server, "/v1beta1/projects/shop/stages?watch=true");
    closing.abort();
    expect((await server.app.request("/readyz")).status).toBe(503);
    await expect(stream.next()).rejects.toThrow("The stream has ended");
  });

  it("is told to Prometheus, by patterns of paths and not by paths", async () => {
    const server = await startTestServer({ metrics: async () => "towpath_of_others 1\n" });
    await server.put(
      project(),
      promotion("test.1.abc", { stage: "test", freight: "abc" }, { phase: "Running" }),
    );
    await server.call("GET", "/v1beta1/projects/shop/stages/a-name");
    const ref = { kind: "Promotion", project: "shop", name: "test.1.abc" };
    const status = { phase: "Succeeded", finishedAt: "2030-01-02T03:04:05Z" };
    await server.store.write([{ op: "status", ref, status }]);
    await server.store.write([{ op: "status", ref, status: { ...status, message: "again" } }]);
    const text = await (await server.call("GET", "/metrics")).text();
    expect(text).toContain('towpath_promotions_ended_total{project="shop",stage="test",phase="Succeeded"} 1');
    expect(text).toContain('route="/v1beta1/projects/:project/stages/:stage",status="404"');
    expect(text).not.toContain("a-name");
    expect(text).toContain("towpath_of_others 1");
    expect(text).toContain("process_resident_memory_bytes");
  });
});

describe("the description of the API", () => {
  interface Description {
    paths: Record<
      string,
      Record<string, { operationId: string; parameters?: { name: string; in: string }[] }>
    >;
  }

  it("has every route, each under a name of its own, with its parameters", async () => {
    const server = await startTestServer();
    const { paths } = await server.json<Description>("GET", "/openapi.json");
    const operations = Object.values(paths).flatMap((methods) => Object.values(methods));
    const routes = new Set(
      server.app.routes.filter(({ path }) => path !== "/*").map(({ method, path }) => method + path),
    );
    expect(operations).toHaveLength(routes.size);
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
    const promote = paths["/v1beta1/projects/{project}/stages/{stage}/promotions"]?.post;
    expect(promote?.operationId).toBe("PromoteToStage");
    expect(promote?.parameters?.map(({ name }) => name)).toEqual(["project", "stage"]);
  });
});

describe("answers", () => {
  it("are kept out of caches, but for the files that pages are made of", async () => {
    const server = await startTestServer();
    expect((await server.call("GET", "/v1beta1/projects")).headers.get("cache-control")).toBe("no-store");
    const style = await server.app.request("/ui/status.css");
    expect(style.headers.get("cache-control")).toBe("no-cache");
    const again = { "If-None-Match": style.headers.get("etag") ?? "" };
    expect((await server.app.request("/ui/status.css", { headers: again })).status).toBe(304);
  });
});

describe("bad requests", () => {
  it.each([
    { what: "a body of a hundred megabytes", path: "/v1beta1/resources", bytes: 100 * 1024 * 1024 },
    {
      what: "a body that is too long for its route",
      path: "/v1beta1/projects/shop/configmaps",
      bytes: 1024 * 1024 + 1,
    },
  ])("refuses $what with 413, and answers the next request", async ({ path, bytes }) => {
    const server = await startTestServer();
    await server.put(project());
    const address = await listen(server.app);
    expect(await send(`${address}${path}`, bytes, "told")).toBe(413);
    expect(await send(`${address}${path}`, bytes, "chunked")).toBe(413);
    expect((await fetch(`${address}/healthz`)).status).toBe(200);
  });

  it.each([
    { what: "what is no JSON", body: "{" },
    { what: "a list", body: "[]" },
    { what: "a number as a name", body: '{"name": 1, "data": {"a": "b"}}' },
    { what: "no values", body: '{"name": "a"}' },
  ])("refuses $what with a clear error", async ({ body }) => {
    const server = await startTestServer();
    await server.put(project());
    const response = await server.call("POST", "/v1beta1/projects/shop/configmaps", body);
    expect(response.status).toBe(400);
    expect(((await response.json()) as { error: string }).error).not.toBe("");
    expect(server.errors).toEqual([]);
  });

  it("tells nothing of failures of its own, but logs them", async () => {
    const server = await startTestServer();
    await server.put(project(), stage("test"));
    server.services.stages.promote = async () => {
      throw new Error("the password is hunter2");
    };
    const broken = await startTestServer({ ...server.services });
    const response = await broken.call("POST", "/v1beta1/projects/shop/stages/test/promotions", {
      freight: "abc",
    });
    expect(response.status).toBe(500);
    expect(await response.json()).toEqual({ error: "internal server error" });
    expect(server.errors.concat(broken.errors).join()).toContain("hunter2");
  });

  it.each([
    {
      what: "a project that is not there",
      path: "/v1beta1/projects/nowhere/stages",
      error: 'Project "nowhere" not found',
    },
    {
      what: "a stage that is not there",
      path: "/v1beta1/projects/shop/stages/x",
      error: 'Stage "shop/x" not found',
    },
    { what: "a path that leads nowhere", path: "/v1beta1/nothing", error: "there is nothing at" },
  ])("says so: $what", async ({ path, error }) => {
    const server = await startTestServer();
    await server.put(project());
    const response = await server.call("GET", path);
    expect(response.status).toBe(404);
    expect(((await response.json()) as { error: string }).error).toContain(error);
  });
});

/** Sends a body of so many bytes, its length told or not. */
function send(url: string, bytes: number, how: "told" | "chunked"): Promise<number> {
  const headers = { Authorization: `Bearer ${testToken}` };
  const length = how === "told" ? { "Content-Length": bytes } : { "Transfer-Encoding": "chunked" };
  const chunk = Buffer.alloc(64 * 1024, " ");
  return new Promise((resolve, reject) => {
    let answered = false;
    let sent = 0;
    const outgoing = request(url, { method: "POST", headers: { ...headers, ...length } }, (response) => {
      answered = true;
      response.resume();
      resolve(response.statusCode ?? 0);
      outgoing.destroy();
    });
    // A server that has answered need not listen to the rest.
    outgoing.on("error", (error) => answered || reject(error));
    const pump = () => {
      while (!answered && sent < bytes) {
        const part = chunk.subarray(0, Math.min(chunk.length, bytes - sent));
        sent += part.length;
        if (!outgoing.write(part)) return outgoing.once("drain", pump);
      }
      if (!answered) outgoing.end();
    };
    pump();
  });
}
