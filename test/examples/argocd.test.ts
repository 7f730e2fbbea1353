import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { argoToken, fakeApplication, startArgoServer } from "#test/support/argocd-server.ts";
import { runCli } from "#test/support/cli.ts";
import { temporaryFolder } from "#test/support/step-context.ts";

it("the example of Argo CD is valid", async () => {
  const example = join(import.meta.dirname, "../../examples/argocd");
  expect(await runCli(["validate", "-f", example])).toMatchObject({ code: 0 });
});

it("one step can be tried without a daemon, at an address that is opened for it", async () => {
  const argo = await startArgoServer();
  argo.apps = [fakeApplication("web")];
  const folder = temporaryFolder();
  const file = (name: string, content: unknown) => {
    writeFileSync(join(folder, name), JSON.stringify(content));
    return join(folder, name);
  };
  const secret = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "argo", labels: { "towpath.dev/connection": "argocd" } },
    stringData: { server: argo.connection.server, token: argoToken, allowHttp: "true" },
  };
  const args = [
    ...["step", "argocd-wait", "--workdir", join(folder, "work")],
    ...["--config", file("config.json", { apps: [{ name: "web" }] })],
    ...["--context", file("context.json", { project: "shop", stage: "test", resources: [secret] })],
  ];
  const closed = await runCli(args);
  expect(JSON.parse(closed.stdout)).toMatchObject({
    status: "Errored",
    message: expect.stringContaining("--allow-net 127.0.0.1"),
  });
  const opened = await runCli([...args, "--allow-net", new URL(argo.connection.server).host]);
  expect(JSON.parse(opened.stdout)).toMatchObject({
    status: "Succeeded",
    output: { apps: [{ name: "web", namespace: "argocd" }], healthStatus: { "argocd/web": "Healthy" } },
  });
  expect(closed.stdout + opened.stdout).not.toContain(argoToken);
});
