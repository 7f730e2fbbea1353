import { symlink } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { createFetch } from "#core/egress/fetch.ts";
import { createEgressPolicy } from "#core/egress/policy.ts";
import type { StepContext } from "#core/step.ts";
import helmTemplate from "#steps/helm-template.ts";
import helmUpdateChart from "#steps/helm-update-chart.ts";
import { startDockerRegistry } from "#test/support/docker-registry.ts";
import { chartFiles, chartIndex, packChart, pushChart } from "#test/support/helm-charts.ts";
import { serve } from "#test/support/http-server.ts";
import { requirePart } from "#test/support/require-part.ts";
import { fakeContext, runStep } from "#test/support/step-context.ts";
import { listTree } from "#test/support/tree.ts";

const hasHelm = await requirePart("helm");
const versions = ["1.0.0", "1.1.0", "2.0.0"];
const archives = new Map<string, Buffer>();
beforeAll(async () => {
  if (!hasHelm) return;
  for (const version of versions) archives.set(`db-${version}.tgz`, await packChart("db", version));
});

/** A chart repository over HTTP that notes what it was asked for. */
async function serveCharts(index = chartIndex(versions.map((version) => ({ name: "db", version })))) {
  const asked: string[] = [];
  const { url } = await serve((request, response) => {
    asked.push(request.url ?? "");
    const archive = archives.get(path.basename(request.url ?? ""));
    if (request.url?.endsWith("/index.yaml")) response.end(index);
    else response.writeHead(archive ? 200 : 404).end(archive);
  });
  return { url, asked };
}

function chartWith(...dependencies: { name?: string; repository: string; version: string; more?: string }[]) {
  const list = dependencies.map(
    ({ name = "db", repository, version, more = "" }) =>
      `  - name: ${name} # mine\n    repository: ${repository}\n    version: "${version}"\n${more}`,
  );
  return `# Keep me\napiVersion: v2\nname: shop\nversion: 0.1.0\ndependencies:\n${list.join("")}`;
}

async function contextWith(files: Record<string, string>, overrides: Partial<StepContext> = {}) {
  const ctx = fakeContext(overrides);
  for (const [name, text] of Object.entries(files)) await ctx.workspace.write(name, text);
  return ctx;
}

async function namesIn(ctx: StepContext, folder: string): Promise<string[]> {
  return Object.keys(await listTree(path.join(ctx.workspace.root, folder))).sort();
}

describe.skipIf(!hasHelm)("helm-update-chart", () => {
  it("moves one version, and touches no more of the chart than that", async () => {
    const { url } = await serveCharts();
    const before = chartWith({ repository: url, version: ">=0.0.1" });
    const ctx = await contextWith({ "shop/Chart.yaml": before, "shop/values.yaml": "a: 1\n" });
    const charts = [{ repository: url, name: "db", version: "1.0.0" }];
    const outcome = await runStep(helmUpdateChart, { path: "shop", charts }, ctx);
    expect(outcome.output).toEqual({ commitMessage: "Updated chart dependencies for shop\n\n- db: 1.0.0" });
    expect(await ctx.workspace.readText("shop/Chart.yaml")).toBe(before.replace('">=0.0.1"', "1.0.0"));
    expect(await namesIn(ctx, "shop")).toEqual(
      expect.arrayContaining(["Chart.lock", "Chart.yaml", "charts/db-1.0.0.tgz", "values.yaml"]),
    );
    const lock = await ctx.workspace.readText("shop/Chart.lock");
    expect(lock.replace(/sha256:\w{64}/, "D")).toBe(
      `dependencies:\n- name: db\n  repository: ${url}\n  version: 1.0.0\ndigest: D\ngenerated: "2030-01-02T03:04:05.000Z"\n`,
    );
  });

  it("takes the newest version in a range, and then leaves the lock alone", async () => {
    const { url } = await serveCharts();
    const ctx = await contextWith({ "shop/Chart.yaml": chartWith({ repository: url, version: "1.0.0" }) });
    await runStep(helmUpdateChart, { path: "shop" }, ctx);
    await ctx.workspace.write("shop/Chart.yaml", chartWith({ repository: url, version: "^1.0.0" }));
    const outcome = await runStep(helmUpdateChart, { path: "./shop" }, ctx);
    const commitMessage = "Updated chart dependencies for ./shop\n\n- db: 1.0.0 -> 1.1.0";
    expect(outcome.output).toEqual({ commitMessage });
    expect(await namesIn(ctx, "shop/charts")).toEqual(["db-1.1.0.tgz"]);
    const later = { ...ctx, now: () => new Date("2031-01-01T00:00:00Z") };
    const lock = await ctx.workspace.readText("shop/Chart.lock");
    expect((await runStep(helmUpdateChart, { path: "shop" }, later)).output).toBeUndefined();
    expect(await ctx.workspace.readText("shop/Chart.lock")).toBe(lock);
  });

  it("writes a lock that helm itself takes, and builds from it", async () => {
    const { url } = await serveCharts();
    const more = "    condition: db.enabled\n    tags: [a<b]\n    import-values: [{parent: b, child: a}]\n";
    const ctx = await contextWith({
      ...chartFiles("common", "common", "0.3.0"),
      "shop/Chart.yaml": chartWith(
        { repository: url, version: "~1.0", more },
        { repository: url, version: "2.x", more: "    alias: other\n" },
        { name: "common", repository: "file://../common", version: "*" },
        { name: "local", repository: '""', version: "*" },
      ),
      ...chartFiles("shop/charts/local", "local", "0.1.0"),
    });
    await runStep(helmUpdateChart, { path: "shop" }, ctx);
    const home = { HOME: ctx.workspace.root };
    const args = ["dependency", "build", "--skip-refresh", "shop"];
    // Repositories are unknown to it, which it says only after it has found the lock to fit.
    await expect(ctx.exec("helm", args, { env: home })).rejects.toThrow("no repository definition");

    await ctx.exec("rm", ["shop/charts/db-1.0.0.tgz", "shop/charts/common-0.3.0.tgz"]);
    const config = { path: "shop", releaseName: "r", outPath: "all.yaml", buildDependencies: true };
    await runStep(helmTemplate, config, ctx);
    const all = await ctx.workspace.readText("all.yaml");
    for (const name of ["r-db", "r-common", "r-local", "r-other"]) expect(all).toContain(`name: ${name}\n`);

    await ctx.workspace.write("shop/Chart.yaml", chartWith({ repository: url, version: "2.0.0" }));
    await expect(runStep(helmTemplate, config, ctx)).rejects.toThrow("Chart.lock is out of sync");
  });

  it("makes a lock when it builds without one", async () => {
    const { url } = await serveCharts();
    const ctx = await contextWith({ "shop/Chart.yaml": chartWith({ repository: url, version: "^1.0.0" }) });
    const config = { path: "shop", releaseName: "r", outPath: "all.yaml", buildDependencies: true };
    await runStep(helmTemplate, config, ctx);
    expect(await ctx.workspace.readText("all.yaml")).toContain("version: 1.1.0");
    expect(await ctx.workspace.readText("shop/Chart.lock")).toContain("version: 1.1.0");
  });

  it.each([
    {
      what: "written by hand",
      index: (url: string) => `{"entries": {"db": [{"version": "1.0.0", "urls": ["${url}"]}]}}`,
    },
    {
      what: "with escapes in it",
      index: (url: string) => `entries: {db: [{version: 1.0.0, urls: ["${url.replace("h", "\\x68")}"]}]}\n`,
    },
    {
      what: "with an absolute address",
      index: (url: string) => chartIndex([{ name: "db", version: "1.0.0", url }]),
    },
  ])("reads an index $what", async ({ index }) => {
    const other = await serveCharts();
    const { url } = await serveCharts(index(`${other.url}/deep/db-1.0.0.tgz`));
    const ctx = await contextWith({ "shop/Chart.yaml": chartWith({ repository: url, version: "*" }) });
    await runStep(helmUpdateChart, { path: "shop" }, ctx);
    expect(await namesIn(ctx, "shop/charts")).toEqual(["db-1.0.0.tgz"]);
    expect(other.asked).toEqual(["/deep/db-1.0.0.tgz"]);
  });

  it.each([
    {
      what: "an address in the index",
      closed: (url: string) => chartIndex([{ name: "db", version: "1.0.0", url: `${url}/x.tgz` }]),
    },
    { what: "a redirect", closed: undefined },
  ])("does not let $what lead to where the egress rules do not", async ({ closed }) => {
    const secret = await serveCharts();
    const index = closed?.(secret.url) ?? chartIndex([{ name: "db", version: "1.0.0" }]);
    const { url, port } = await serve((request, response) => {
      if (request.url === "/index.yaml") response.end(index);
      else response.writeHead(302, { location: `${secret.url}/db-1.0.0.tgz` }).end();
    });
    const policy = createEgressPolicy({ allow: [`127.0.0.1:${port}`] });
    const ctx = await contextWith(
      { "shop/Chart.yaml": chartWith({ repository: url, version: "*" }) },
      { fetch: createFetch({ policy }) },
    );
    await expect(runStep(helmUpdateChart, { path: "shop" }, ctx)).rejects.toMatchObject({
      kind: "refused",
      message: expect.stringContaining("loopback"),
    });
    expect(secret.asked).toEqual([]);
  });

  it.each([
    { repository: "file:///etc", says: "must be relative" },
    { repository: "file://../../..", says: "workspace" },
    { repository: "file://../missing", says: "no such folder" },
    { repository: "git+https://example.com/x", says: "neither an http" },
    { repository: '"@known"', says: "neither an http" },
  ])("refuses the repository $repository", async ({ repository, says }) => {
    const ctx = await contextWith({ "shop/Chart.yaml": chartWith({ repository, version: "*" }) });
    await expect(runStep(helmUpdateChart, { path: "shop" }, ctx)).rejects.toMatchObject({
      status: "Errored",
      message: expect.stringContaining(says),
    });
  });

  it("does not pack what a link in a neighbour chart leads to", async () => {
    const ctx = await contextWith({
      "shop/Chart.yaml": chartWith({ name: "common", repository: "file://../common", version: "*" }),
      ...chartFiles("common", "common", "1.0.0"),
    });
    await symlink("/etc/hostname", path.join(ctx.workspace.root, "common/secret"));
    await expect(runStep(helmUpdateChart, { path: "shop" }, ctx)).rejects.toMatchObject({ kind: "refused" });
    expect(await ctx.workspace.exists("shop/Chart.lock")).toBe(false);
  });

  it.each([
    { chart: "name: [", says: "not valid YAML" },
    { chart: "name: shop\n", says: "has none" },
    { chart: "dependencies: {}\n", says: "a list is missing" },
    { chart: chartWith({ name: "web", repository: "URL", version: "*" }), says: "web" },
    { chart: chartWith({ repository: "URL", version: "3.x" }), says: "can't get a valid version" },
    { chart: chartWith({ repository: "URL/gone", version: "1.x" }), says: "it answered 404" },
  ])("fails on $says", async ({ chart, says }) => {
    const { url } = await serve((request, response) => {
      if (request.url !== "/index.yaml") response.writeHead(404).end();
      else response.end(chartIndex([{ name: "db", version: "1.0.0" }]));
    });
    const ctx = await contextWith({ "shop/Chart.yaml": chart.replace("URL", url) });
    await expect(runStep(helmUpdateChart, { path: "shop" }, ctx)).rejects.toMatchObject({
      status: "Errored",
      message: expect.stringContaining(says),
    });
  });

  it("says which dependency it does not find", async () => {
    const ctx = await contextWith({
      "shop/Chart.yaml": chartWith({ repository: "https://a", version: "*" }),
    });
    const charts = [{ repository: "https://b", name: "db", version: "1" }];
    await expect(runStep(helmUpdateChart, { path: "shop", charts }, ctx)).rejects.toThrow(
      'no dependency "db" of repository "https://b"',
    );
  });

  it.each([
    {},
    { path: "" },
    { path: "a", charts: [] },
    { path: "a", charts: [{}] },
    { path: "a", charts: [{ repository: "a", name: "b", version: "" }] },
  ])("refuses the configuration %j", async (config) => {
    await expect(runStep(helmUpdateChart, config)).rejects.toMatchObject({ kind: "config" });
  });
});

describe.skipIf(!hasHelm || !(await requirePart("registry")))("charts of a registry", () => {
  it("come with credentials, which helm never sees", async () => {
    const registry = await startDockerRegistry({ password: true });
    for (const version of versions) {
      await pushChart(registry, "charts/db", version, archives.get(`db-${version}.tgz`) ?? Buffer.of());
    }
    const asked: string[] = [];
    const seen: string[] = [];
    const credentials: StepContext["credentials"] = {
      async find(type, url) {
        asked.push(`${type} ${url}`);
        return { username: "joe", password: "s3cret" };
      },
    };
    const base = fakeContext();
    const ctx = await contextWith(
      { "shop/Chart.yaml": chartWith({ repository: `oci://${registry.host}/charts`, version: "^1.0.0" }) },
      {
        ...base,
        credentials,
        async exec(program, args, options) {
          seen.push(JSON.stringify([args, options]));
          const result = await base.exec(program, args, options);
          seen.push(
            (await base.exec("grep", ["-rc", "s3cret", options?.cwd ?? "."], { exitCodes: [0, 1] })).stdout,
          );
          return result;
        },
      },
    );
    await runStep(helmUpdateChart, { path: "shop" }, ctx);
    expect(await namesIn(ctx, "shop/charts")).toEqual(["db-1.1.0.tgz"]);
    expect(await ctx.workspace.readText("shop/Chart.lock")).toContain(
      `repository: oci://${registry.host}/charts\n`,
    );
    expect([...new Set(asked)]).toEqual([`helm oci://${registry.host}/charts/db`]);
    expect(seen.join()).not.toContain("s3cret");
    expect(seen.join()).not.toMatch(/:[1-9]\d*$/m);

    const nobody = { ...ctx, credentials: { find: async () => undefined } };
    await expect(runStep(helmUpdateChart, { path: "shop" }, nobody)).rejects.toThrow("credentials");
  });
});
