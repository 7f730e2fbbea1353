import { mkdir, symlink } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { StepContext } from "#core/step.ts";
import helmTemplate from "#steps/helm-template.ts";
import { chartFiles } from "#test/support/helm-charts.ts";
import { requirePart } from "#test/support/require-part.ts";
import { fakeContext, runStep } from "#test/support/step-context.ts";
import { listTree } from "#test/support/tree.ts";

const head = "apiVersion: v1\nname: shop\nversion: 0.1.0\n";
const template = (...lines: string[]) => `${lines.join("\n")}\n`;
const configMap = template(
  "apiVersion: v1",
  "kind: ConfigMap",
  "metadata:",
  "  name: {{ .Release.Name }}-config",
  "  namespace: {{ .Release.Namespace }}",
  "data:",
  '  value: "{{ .Values.key }}"',
);
const rendered = (release: string, namespace: string, value: string) =>
  configMap
    .replace("{{ .Release.Name }}", release)
    .replace("{{ .Release.Namespace }}", namespace)
    .replace("{{ .Values.key }}", value);

async function contextWith(files: Record<string, string>): Promise<StepContext> {
  const ctx = fakeContext();
  for (const [name, text] of Object.entries(files)) await ctx.workspace.write(name, text);
  return ctx;
}

const chart = { "chart/Chart.yaml": head, "chart/templates/config.yaml": configMap };
const everything = {
  ...chart,
  "chart/crds/crd.yaml": "apiVersion: a.b.c/v1\nkind: Crd\nmetadata:\n  name: Things\n",
  "chart/templates/job.yaml":
    "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: h\n  annotations:\n    helm.sh/hook: pre-install\n",
  "chart/templates/test.yaml":
    "kind: Pod\nmetadata:\n  name: t\n  annotations:\n    helm.sh/hook: test\napiVersion: v1\n",
};
const plain = { path: "chart", releaseName: "web" };

describe.skipIf(!(await requirePart("helm")))("helm-template", () => {
  it("renders to a file, the values of later files and of the step winning", async () => {
    const ctx = await contextWith({
      ...chart,
      "one.yaml": "key: one\n",
      "two, or so.yaml": "key: two\n",
    });
    const valuesFiles = ["one.yaml", "two, or so.yaml"];
    await runStep(helmTemplate, { ...plain, outPath: "out/all.yaml", valuesFiles, namespace: "ns" }, ctx);
    const source = "---\n# Source: shop/templates/config.yaml\n";
    expect(await ctx.workspace.readText("out/all.yaml")).toBe(source + rendered("web", "ns", "two"));

    const setValues = [{ key: "key", value: "a,b={1}", literal: true }];
    await runStep(helmTemplate, { ...plain, outPath: "out/all.yaml", valuesFiles, setValues }, ctx);
    expect(await ctx.workspace.readText("out/all.yaml")).toBe(source + rendered("web", "shop", "a,b={1}"));
  });

  it.each([
    { what: "the chart's own layout", config: {}, files: ["shop/templates/config.yaml"] },
    {
      what: "the release's name",
      config: { useReleaseName: true, disableHooks: true },
      files: ["web/shop/templates/config.yaml"],
    },
    {
      what: "everything",
      config: { disableHooks: false, includeCRDs: true },
      files: [
        "shop/crds/crd.yaml",
        ...["config", "job", "test"].map((name) => `shop/templates/${name}.yaml`),
      ],
    },
    {
      what: "a file for each resource",
      config: { outLayout: "flat", includeCRDs: true, skipTests: true, disableHooks: false },
      files: ["a_b_c-crd-things.yaml", "batch-job-h.yaml", "configmap-shop-web-config.yaml"],
    },
  ])("renders $what to a folder", async ({ config, files }) => {
    const ctx = await contextWith(everything);
    await runStep(helmTemplate, { disableHooks: true, ...plain, outPath: "out", ...config }, ctx);
    const tree = await listTree(path.join(ctx.workspace.root, "out"));
    const found = Object.keys(tree).filter((name) => name.endsWith(".yaml"));
    expect(found.sort()).toEqual(files.sort());
  });

  it("writes a hook without telling where it comes from, as Kargo does", async () => {
    const ctx = await contextWith(everything);
    await runStep(helmTemplate, { ...plain, outPath: "out", outLayout: "flat" }, ctx);
    expect(await ctx.workspace.readText("out/batch-job-h.yaml")).toBe(
      everything["chart/templates/job.yaml"].trim(),
    );
    expect(await ctx.workspace.readText("out/configmap-shop-web-config.yaml")).toContain("# Source: shop/");
  });

  it("shows the chart a Kubernetes of one's choice", async () => {
    const ctx = await contextWith({
      "chart/Chart.yaml": head,
      "chart/templates/a.yaml":
        '{{ .Capabilities.KubeVersion }}: {{ .Capabilities.APIVersions.Has "a/v1" }}\n',
    });
    const config = { ...plain, outPath: "all.yaml", kubeVersion: "1.33.1", apiVersions: ["b/v1", "a/v1"] };
    await runStep(helmTemplate, config, ctx);
    expect(await ctx.workspace.readText("all.yaml")).toContain("v1.33.1: true\n");
  });

  it("passes over values files that do not exist where it is told to", async () => {
    const ctx = await contextWith({ ...chart, "there.yaml": "key: there\n" });
    const valuesFiles = ["missing.yaml", "there.yaml"];
    await runStep(
      helmTemplate,
      { ...plain, outPath: "a.yaml", valuesFiles, ignoreMissingValueFiles: true },
      ctx,
    );
    expect(await ctx.workspace.readText("a.yaml")).toContain('value: "there"');
  });

  it.each([
    { what: "a missing values file", config: { valuesFiles: ["no.yaml"] }, says: 'values file "no.yaml"' },
    { what: "a folder without a chart", config: { path: "." }, says: 'load chart "."' },
    { what: "a chart that is not there", config: { path: "no.tgz" }, says: 'load chart "no.tgz"' },
    { what: "a version that is none", config: { kubeVersion: "x" }, says: "invalid kube version" },
    { what: "a file that is a folder", config: { outPath: "dir.yaml" }, says: "it is a folder" },
    { what: "a template that is wrong", config: { path: "wrong" }, says: 'Cannot render chart "wrong"' },
    { what: "a name that leads out", config: { path: "evil", outLayout: "flat" }, says: "unsafe generated" },
    { what: "a dependency that is missing", config: { path: "needy" }, says: "missing in charts/ directory" },
  ])("fails on $what", async ({ config, says }) => {
    const ctx = await contextWith({
      ...chart,
      "dir.yaml/a": "",
      "wrong/Chart.yaml": head,
      "wrong/templates/a.yaml": "a: {{ .Values.none | quote }}}\n---\n{{ fail `no` }}\n",
      "evil/Chart.yaml": head,
      "evil/templates/a.yaml": "kind: ../../x\nmetadata: {name: a}\n",
      "needy/Chart.yaml": `${head.replace("v1", "v2")}dependencies: [{name: db, version: 1.0.0}]\n`,
    });
    const running = runStep(helmTemplate, { ...plain, outPath: "out", ...config }, ctx);
    const error: unknown = await running.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ status: "Errored", message: expect.stringContaining(says) });
    expect(String(error)).not.toContain(ctx.workspace.root);
    expect(await ctx.workspace.exists("x.yaml")).toBe(false);
  });

  it("takes nothing in a configuration for an option of helm's", async () => {
    const ctx = await contextWith({ ...chart, "evil.sh": "#!/bin/sh\ntouch pwned\n" });
    const evil = `--post-renderer=${ctx.workspace.root}/evil.sh`;
    await expect(
      runStep(helmTemplate, { ...plain, releaseName: evil, outPath: "a.yaml" }, ctx),
    ).rejects.toThrow("invalid release name");
    const setValues = [{ key: "--post-renderer", value: "./evil.sh" }];
    await runStep(helmTemplate, { ...plain, setValues, outPath: "a.yaml", namespace: evil }, ctx).catch(
      () => {},
    );
    expect(await ctx.workspace.exists("pwned")).toBe(false);
  });

  it.each(["file", "folder", "chain"])("does not follow a %s out of the workspace", async (way) => {
    const ctx = await contextWith({ ...chart, "other/x": "" });
    const at = path.join(ctx.workspace.root, "chart/templates/link.yaml");
    if (way === "file") await symlink("/etc/hostname", at);
    else if (way === "folder") await symlink("/etc", path.join(ctx.workspace.root, "chart/files"));
    else {
      await symlink("../../other", at);
      await symlink("/etc", path.join(ctx.workspace.root, "other/etc"));
    }
    await expect(runStep(helmTemplate, { ...plain, outPath: "a.yaml" }, ctx)).rejects.toMatchObject({
      kind: "refused",
      message: expect.stringContaining("outside of the workspace"),
    });
  });

  it("loads no plugins that lie in a workspace", async () => {
    const ctx = await contextWith(chartFiles("chart", "shop", "1.0.0"));
    await mkdir(path.join(ctx.workspace.root, "plugins"));
    const seen: string[][] = [];
    const exec: StepContext["exec"] = (program, args, options) => {
      seen.push([options?.env?.HELM_PLUGINS ?? "", options?.env?.HOME ?? ""]);
      return ctx.exec(program, args, options);
    };
    await runStep(helmTemplate, { ...plain, outPath: "a.yaml" }, { ...ctx, exec });
    for (const folder of seen.flat()) expect(folder).toMatch(/towpath-render-/);
  });

  it.each([
    {},
    { outPath: "a", path: "b" },
    { ...plain, outPath: "" },
    { ...plain, outPath: "a", valuesFiles: [""] },
    { ...plain, outPath: "a", setValues: [{ key: "a" }] },
    { ...plain, outPath: "a", setValues: [{ key: "", value: "" }] },
    { ...plain, outPath: "a", apiVersions: [""] },
    { ...plain, outPath: "a", outLayout: "deep" },
  ])("refuses the configuration %j", async (config) => {
    await expect(runStep(helmTemplate, config)).rejects.toMatchObject({ kind: "config" });
  });
});
