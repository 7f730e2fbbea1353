import { mkdir, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { createFetch } from "#core/egress/fetch.ts";
import { createEgressPolicy } from "#core/egress/policy.ts";
import type { StepContext } from "#core/step.ts";
import { openWorkspace } from "#core/workspace-folder.ts";
import kustomizeBuild from "#steps/kustomize-build.ts";
import { chartFiles, chartIndex, packChart } from "#test/support/helm-charts.ts";
import { serve } from "#test/support/http-server.ts";
import { requirePart } from "#test/support/require-part.ts";
import { fakeContext, runStep, temporaryFolder } from "#test/support/step-context.ts";
import { listTree } from "#test/support/tree.ts";

const deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n";
const service = "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n  namespace: edge\n";
const role = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: reader\n";

async function contextWith(files: Record<string, string>): Promise<StepContext> {
  const ctx = fakeContext();
  for (const [name, text] of Object.entries(files)) await ctx.workspace.write(name, text);
  return ctx;
}

async function namesIn(ctx: StepContext, folder: string): Promise<string[]> {
  return Object.keys(await listTree(path.join(ctx.workspace.root, folder))).sort();
}

const hasParts = (await requirePart("kustomize")) && (await requirePart("helm"));

describe.skipIf(!hasParts)("kustomize-build", () => {
  const app = {
    "app/kustomization.yaml": "resources: [deployment.yaml, ../shared/service.yaml, role.yaml]\n",
    "app/deployment.yaml": deployment,
    "app/role.yaml": role,
    "shared/service.yaml": service,
  };

  it("renders to a file", async () => {
    const ctx = await contextWith(app);
    await runStep(kustomizeBuild, { path: "app", outPath: "out/all.yml" }, ctx);
    expect(await ctx.workspace.readText("out/all.yml")).toBe([role, service, deployment].join("---\n"));
  });

  it.each([
    {
      outputFormat: undefined,
      files: ["clusterrole-reader.yaml", "deployment-web.yaml", "edge-service-web.yaml"],
    },
    {
      outputFormat: "kustomize",
      files: [
        "apps_v1_deployment_web.yaml",
        "edge_v1_service_web.yaml",
        "rbac.authorization.k8s.io_v1_clusterrole_reader.yaml",
      ],
    },
  ])("names the files of a folder in the format $outputFormat", async ({ outputFormat, files }) => {
    const ctx = await contextWith(app);
    await runStep(kustomizeBuild, { path: "app", outPath: "out/", outputFormat }, ctx);
    expect(await namesIn(ctx, "out")).toEqual(files);
    expect(await ctx.workspace.readText(`out/${files.find((name) => name.includes("deployment"))}`)).toBe(
      deployment,
    );
  });

  it("names no namespace in Kustomize's format where there is one only", async () => {
    const ctx = await contextWith({
      ...app,
      "app/kustomization.yaml": "resources: [../shared/service.yaml, role.yaml]",
    });
    await runStep(kustomizeBuild, { path: "app", outPath: "out", outputFormat: "kustomize" }, ctx);
    expect((await namesIn(ctx, "out"))[1]).toBe("v1_service_web.yaml");
  });

  it("lets a kustomization use all of the workspace", async () => {
    const ctx = await contextWith({
      "base/kustomization.yaml": "resources: [deployment.yaml]\ncommonAnnotations: {home: /tmp}\n",
      "base/deployment.yaml": deployment,
      "parts/kustomization.yaml":
        "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnamePrefix: a-\n",
      "common/values.env": "COLOR=blue\n",
      "common/patch.yaml": `${deployment}spec:\n  replicas: 3\n`,
      "app/annotate.yaml":
        "apiVersion: builtin\nkind: AnnotationsTransformer\nmetadata: {name: a}\nannotations: {b: c}\nfieldSpecs: [{path: metadata/annotations, create: true}]\n",
      "app/kustomization.yaml": [
        "resources: [../base]",
        "components: [../parts]",
        "transformers: [annotate.yaml]",
        "patches:",
        "- path: ../common/patch.yaml",
        '- {target: {kind: Deployment}, patch: "- {op: add, path: /metadata/labels, value: {dir: /etc}}"}',
        "configMapGenerator:",
        "- {name: env, envs: [../common/values.env], literals: [HOME=/etc], files: [k=../common/patch.yaml]}",
        "",
      ].join("\n"),
    });
    await runStep(kustomizeBuild, { path: "app", outPath: "all.yaml" }, ctx);
    const all = await ctx.workspace.readText("all.yaml");
    for (const text of ["replicas: 3", "dir: /etc", "COLOR: blue", "b: c", "name: a-web"])
      expect(all).toContain(text);
  });

  let archive: Buffer;
  beforeAll(async () => {
    archive = await packChart("db", "1.0.0");
  });

  it.each([
    {
      how: "a generator",
      files: (repo: string) => ({
        "app/kustomization.yaml": "namespace: demo\ngenerators: [chart.yaml]\n",
        "app/chart.yaml": `apiVersion: builtin\nkind: HelmChartInflationGenerator\nmetadata: {name: x}\nname: db\nreleaseName: demo\nrepo: ${repo}\nvaluesFile: values.yaml\n`,
      }),
      charts: "app/charts/db",
    },
    {
      how: "helmCharts",
      files: (repo: string) => ({
        "app/kustomization.yaml": `namespace: demo\nhelmGlobals: {chartHome: ../pulled}\nhelmCharts:\n- {name: db, releaseName: demo, version: 1.0.0, repo: "${repo}/", valuesInline: {key: "/etc"}}\n`,
      }),
      charts: "pulled/db-1.0.0/db",
    },
    {
      how: "a chart that is there",
      files: () => ({
        "app/kustomization.yaml":
          "namespace: demo\nhelmCharts: [{name: db, releaseName: demo, valuesFile: values.yaml}]\n",
        ...chartFiles("app/charts/db", "db", "1.0.0"),
      }),
      charts: "app/charts/db",
    },
  ])("inflates a Helm chart by $how", async ({ files, charts }) => {
    const { url } = await serve((request, response) => {
      if (request.url === "/index.yaml") response.end(chartIndex([{ name: "db", version: "1.0.0" }]));
      else response.end(archive);
    });
    const ctx = await contextWith({ "app/values.yaml": "key: mine\n", ...files(url) });
    const plugin = { helm: { kubeVersion: "1.33.0", apiVersions: ["a/v1", "b/v1"] } };
    await runStep(kustomizeBuild, { path: "app", outPath: "all.yaml", plugin }, ctx);
    const all = await ctx.workspace.readText("all.yaml");
    expect(all).toContain("name: demo-db\n  namespace: demo\n");
    expect(all).toMatch(/value: (mine|\/etc)/);
    expect(await ctx.workspace.exists(`${charts}/Chart.yaml`)).toBe(true);
  });

  it.each<{ what: string; files: Record<string, string>; path?: string; says: string }>([
    {
      what: "a kind that leads out",
      files: { "a.yaml": "apiVersion: v1\nkind: ../x\nmetadata: {name: a}\n" },
      says: "unsafe generated",
    },
    { what: "no kustomization", files: {}, path: "none", says: "no such file or directory" },
    { what: "what is none", files: { "kustomization.yaml": "invalid" }, says: "invalid Kustomization" },
    { what: "broken YAML", files: { "kustomization.yaml": "a: [" }, says: "invalid Kustomization" },
    { what: "a missing resource", files: {}, says: "a.yaml" },
  ])("fails on $what", async ({ files, path: at = ".", says }) => {
    const all = { "kustomization.yaml": "resources: [a.yaml]\n", ...files };
    const ctx = await contextWith(all);
    const running = runStep(kustomizeBuild, { path: at, outPath: "out" }, ctx);
    await expect(running).rejects.toMatchObject({
      status: "Errored",
      message: expect.stringContaining(says),
    });
    expect(await ctx.workspace.exists("out")).toBe(false);
  });

  const secretGenerator = (file: string) =>
    `apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata: {name: a}\nfiles: ["k=${file}"]\n`;
  const chart = (fields: string) => `helmCharts: [{name: db, releaseName: a, ${fields}}]\n`;

  it.each<[string, string, Record<string, string>?]>([
    ["a resource", "resources: [SECRET]"],
    ["a resource above", "resources: [../../secret/file.yaml]"],
    ["a folder", "resources: [../../secret]"],
    ["a resource behind a link", "resources: [link/file.yaml]"],
    ["a link to a folder", "resources: [link]"],
    ["an anchor in a harmless field", "commonAnnotations: {a: &a SECRET}\nresources: [*a]"],
    ["a merge", "commonAnnotations: &a {files: [SECRET]}\nconfigMapGenerator: [{<<: *a, name: a}]"],
    ["a tag", "resources: [!!binary L2V0Yy9wYXNzd2Q=]"],
    ["a file of a ConfigMap", "configMapGenerator: [{name: a, files: [k=SECRET]}]"],
    ["variables", "secretGenerator: [{name: a, envs: [SECRET]}]"],
    ["a patch", "patches: [{path: SECRET}]"],
    ["a replacement", "replacements: [{path: SECRET}]"],
    ["a schema", "openapi: {path: SECRET}"],
    ["a field that nobody knows", "tomorrow: [{is: {another: day=SECRET}}]"],
    ["a generator", "generators: [g.yaml]", { "g.yaml": secretGenerator("SECRET") }],
    ["a generator in line", `generators: ['${secretGenerator("SECRET").replaceAll("\n", "\n\n  ")}']`],
    ["a transformer's folder", "transformers: [t]", { "t/kustomization.yaml": "resources: []" }],
    ["a base", "resources: [base]", { "base/kustomization.yaml": "resources: [../../../secret/file.yaml]" }],
    [
      "a base behind a link, from where it really is",
      "resources: [near]",
      { "far/off/kustomization.yaml": "resources: [../../../../secret/file.yaml]" },
    ],
    ["a chart's values", chart("valuesFile: SECRET")],
    ["a list of values files", chart('additionalValuesFiles: ["a,SECRET"]'), { "a,/x": "" }],
    ["a chart's home", `helmGlobals: {chartHome: ../../secret}\n${chart("version: a")}`],
    ["helm's home", `helmGlobals: {configHome: /new-home}\n${chart("version: a")}`],
    ["a chart's name", "helmCharts: [{name: ../../../secret/chart}]"],
    ["a chart's version", chart('repo: "https://a.example.com", version: "/../../../../secret"')],
    [
      "a link in a chart",
      chart("valuesFile: v.yaml"),
      { ...chartFiles("charts/db", "db", "1.0.0"), "v.yaml": "" },
    ],
    ["helm's options", "helmCharts: [{name: db, releaseName: --post-renderer=/bin/true}]"],
    ["an address", "resources: [https://example.com/a.yaml]"],
    ["an address behind a key", "configMapGenerator: [{name: a, files: ['k=http://127.0.0.1:1/a']}]"],
    ["an address in capitals", "resources: [HTTP://127.0.0.1:1/a.yaml]"],
    ["a repository", "resources: [github.com/example/repo]"],
    ["a repository over ssh", "resources: [git@example.com:a/b]"],
    ["a repository on disk", "resources: [file:///root/repo]"],
    ["go-getter's form", "resources: ['git::https://example.com/a/b']"],
    ...["\r", "\u0085", "\u2028", "\u2029"].flatMap((end): [string, string, Record<string, string>?][] => [
      [`a comment that ends with ${escape(end)}`, `# a${end}resources: [SECRET]\n`],
      [`a text that ends with ${escape(end)}`, `metadata:\n  a: |\n    b${end}resources: [SECRET]\n`],
      [
        `a generator with ${escape(end)}`,
        "generators: [g.yaml]",
        { "g.yaml": `# a${end}${secretGenerator("SECRET").replaceAll("\n", end)}` },
      ],
    ]),
    ["other capitals", "Generators: [g.yaml]", { "g.yaml": secretGenerator("SECRET") }],
    ["a letter that counts as another", "generatorſ: [g.yaml]", { "g.yaml": secretGenerator("SECRET") }],
    ["helm's options by other capitals", "HelmCharts: [{name: db, releaseName: --post-renderer=/bin/true}]"],
    ["an entry in other capitals", "helmCharts: [{name: db, ReleaseName: --post-renderer=/bin/true}]"],
    ["homes in other capitals", `helmGlobals: {ChartHome: ../../secret}\n${chart("version: a")}`],
    ...["List", "ConfigMapList"].map((kind): [string, string, Record<string, string>] => [
      `a generator of charts in a ${kind}`,
      "generators: [g.yaml]\nhelmCharts: [{name: db, releaseName: a}]",
      {
        "g.yaml":
          `apiVersion: v1\nkind: ${kind}\nitems:\n- apiVersion: builtin\n  kind: HelmChartInflationGenerator\n` +
          "  metadata: {name: a}\n  name: db\n  releaseName: --post-renderer=true\n",
      },
    ]),
    [
      "a line that parts documents for Kustomize alone",
      "generators: [g.yaml]",
      { "g.yaml": `--- |\na\n---#\n${secretGenerator("SECRET")}` },
    ],
    [
      "a generator of charts in other capitals",
      "generators: [g.yaml]",
      {
        "g.yaml":
          "apiVersion: builtin\nkind: HelmChartInflationGenerator\nmetadata: {name: a}\n" +
          "Name: db\nreleaseNAME: --post-renderer=/bin/true\n",
      },
    ],
  ])("does not let a kustomization get out by %s", async (_, kustomization, files = {}) => {
    const outer = temporaryFolder();
    await mkdir(path.join(outer, "secret"));
    await writeFile(
      path.join(outer, "secret/file.yaml"),
      "apiVersion: v1\nkind: TOPSECRET\nmetadata: {name: a}\n",
    );
    await writeFile(path.join(outer, "secret/kustomization.yaml"), "resources: [file.yaml]");
    await mkdir(path.join(outer, "work/app/charts/db"), { recursive: true });
    const policy = createEgressPolicy({ lookup: async () => [{ address: "10.0.0.1", family: 4 }] });
    const ctx = fakeContext({
      workspace: await openWorkspace(path.join(outer, "work")),
      fetch: createFetch({ policy }),
    });
    await symlink("../../secret", path.join(outer, "work/app/link"));
    await symlink("../../../../secret", path.join(outer, "work/app/charts/db/secret"));
    await symlink("far/off", path.join(outer, "work/app/near"));
    const all = { "kustomization.yaml": kustomization, ...files };
    for (const [name, text] of Object.entries(all)) {
      await ctx.workspace.write(
        `app/${name}`,
        text.replaceAll("SECRET", path.join(outer, "secret/file.yaml")),
      );
    }
    await expect(runStep(kustomizeBuild, { path: "app", outPath: "all.yaml" }, ctx)).rejects.toMatchObject({
      kind: "refused",
    });
    expect(await ctx.workspace.exists("all.yaml")).toBe(false);
  });

  it.each([
    ["little", [0xff, 0xfe], (text: Buffer) => text],
    ["big", [0xfe, 0xff], (text: Buffer) => text.swap16()],
  ] as const)("refuses what Kustomize would read as UTF-16, %s end first", async (_, mark, ordered) => {
    const ctx = fakeContext();
    const text = "configMapGenerator: [{name: a, files: [/etc/hostname]}]\n";
    const bytes = Buffer.concat([Buffer.from(mark), ordered(Buffer.from(text, "utf16le"))]);
    await ctx.workspace.write("kustomization.yaml", bytes);
    const running = runStep(kustomizeBuild, { path: ".", outPath: "all.yaml" }, ctx);
    await expect(running).rejects.toMatchObject({
      kind: "refused",
      message: expect.stringContaining("UTF-8"),
    });
  });

  it("takes lines that end as in files from Windows", async () => {
    const files = { "kustomization.yaml": "# a\r\nresources: [d.yaml]\r\n", "d.yaml": deployment };
    const ctx = await contextWith(files);
    await runStep(kustomizeBuild, { path: ".", outPath: "all.yaml" }, ctx);
    expect(await ctx.workspace.readText("all.yaml")).toBe(deployment);
  });

  it("runs no programs that a workspace brings", async () => {
    const ctx = await contextWith({
      "kustomization.yaml": "generators: [g.yaml]\n",
      "g.yaml":
        "apiVersion: a/v1\nkind: G\nmetadata:\n  name: a\n  annotations:\n    config.kubernetes.io/function: |\n      exec: {path: ./evil.sh}\n",
      "evil.sh": "#!/bin/sh\ntouch pwned\n",
    });
    await ctx.exec("chmod", ["+x", "evil.sh"]);
    const running = runStep(kustomizeBuild, { path: ".", outPath: "all.yaml" }, ctx);
    await expect(running).rejects.toThrow("plugin");
    expect(await ctx.workspace.exists("pwned")).toBe(false);
  });

  it.each([
    {},
    { path: "a" },
    { path: "a", outPath: "" },
    { path: "a", outPath: "b", outputFormat: "invalid" },
    { path: "a", outPath: "b", plugin: { helm: { apiVersions: [""] } } },
    { path: "a", outPath: "b", plugin: { exec: {} } },
  ])("refuses the configuration %j", async (config) => {
    await expect(runStep(kustomizeBuild, config)).rejects.toMatchObject({ kind: "config" });
  });
});
