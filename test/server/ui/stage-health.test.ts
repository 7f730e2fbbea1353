import { expect, it } from "vitest";
import { project, secret, stage } from "#test/server/support/resources.ts";
import { startTestServer, type TestServer, testToken } from "#test/server/support/test-server.ts";

async function statusPage({ app }: TestServer): Promise<string> {
  const response = await app.request("/ui/login", {
    method: "POST",
    body: new URLSearchParams({ token: testToken, next: "/" }),
    headers: { Host: "localhost", Origin: "http://localhost" },
  });
  const cookie = response.headers.get("set-cookie")?.split(";")[0] ?? "";
  return await (await app.request("/", { headers: { Cookie: cookie } })).text();
}

const labels = { "towpath.dev/connection": "argocd" };
const values = { server: "https://argocd.example.com/argo/", token: "argo-t0ken" };

function unhealthy(annotation: string) {
  const one = stage(
    "test",
    {},
    {
      lastPromotion: { name: "p", status: { phase: "Succeeded" } },
      health: { status: "Unhealthy", issues: ["it is <b>Degraded</b>", "two", "three", "four"] },
    },
  );
  one.metadata.annotations = { "kargo.akuity.io/argocd-context": annotation };
  return one;
}

it("the status page says why a stage is not healthy, and links to its Applications", async () => {
  const server = await startTestServer();
  const apps = JSON.stringify([{ name: "web", namespace: "argocd" }]);
  await server.put(project(), unhealthy(apps));
  const before = await statusPage(server);
  expect(before).toContain("it is &lt;b&gt;Degraded&lt;/b&gt;");
  expect(before).toContain("and 1 more");
  expect(before).toContain("At Argo CD: web</p>");
  await server.put(secret("argo", values, { labels }));
  const page = await statusPage(server);
  expect(page).toContain('href="https://argocd.example.com/argo/applications/argocd/web"');
  expect(page).not.toContain(values.token);
});

it.each(["", "no json", "{}", '[{"name":7}]'])(
  "the status page bears the annotation %j",
  async (annotation) => {
    const server = await startTestServer();
    await server.put(project(), unhealthy(annotation));
    expect(await statusPage(server)).toContain("Unhealthy");
  },
);

it("clients are told of the shared Argo CDs by shard, as Kargo tells them, and of no project's", async () => {
  const server = await startTestServer();
  const shared = { namespace: "kargo-shared-resources", labels };
  const europe = { ...shared, labels: { ...labels, "kargo.akuity.io/shard": "europe" } };
  await server.put(
    project(),
    secret("own", { ...values, server: "https://own.example.com" }, { labels }),
    secret("all", values, shared),
    secret("eu", { ...values, server: "https://eu.example.com", namespace: "deploy" }, europe),
    secret("odd", { ...values, server: "nothing" }, shared),
  );
  expect(await server.json("GET", "/v1beta1/system/server-config")).toMatchObject({
    argocdShards: {
      "": { url: "https://argocd.example.com/argo", namespace: "argocd" },
      europe: { url: "https://eu.example.com", namespace: "deploy" },
    },
  });
});
