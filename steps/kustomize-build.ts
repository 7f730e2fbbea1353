import { realpath } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { StepFailure } from "#core/failure.ts";
import { defineStep, type StepContext, succeeded } from "#core/step.ts";
import { checkKustomization } from "./lib/kustomization-check.ts";
import { pullCharts } from "./lib/kustomized-chart.ts";
import { kustomizedFileNames } from "./lib/kustomized-names.ts";
import { RemoteBases } from "./lib/remote-bases.ts";
import { type RenderPlace, withRenderPlace } from "./lib/render-program.ts";
import { isManifestFile, namesOf, readManifest } from "./lib/rendered-manifests.ts";

const Helm = z.strictObject({
  apiVersions: z
    .array(z.string().min(1))
    .optional()
    .describe("API versions of Kubernetes that charts are to see."),
  kubeVersion: z.string().optional().describe("The version of Kubernetes that charts are to see."),
});

const config = z.strictObject({
  path: z.string().min(1).describe("The folder of the kustomization, in the workspace."),
  outPath: z
    .string()
    .min(1)
    .describe("Where to write the manifests: a file if it ends with `.yaml` or `.yml`, or else a folder."),
  outputFormat: z
    .enum(["kargo", "kustomize"])
    .default("kargo")
    .describe(
      "How the files of a folder are named: `[namespace-]kind-name.yaml` (`kargo`), or as " +
        "`kustomize build -o` does, `[namespace_]group_version_kind_name.yaml` (`kustomize`).",
    ),
  plugin: z
    .strictObject({ helm: Helm.optional().describe("What the charts that the kustomization inflates see.") })
    .optional()
    .describe("Settings of Kustomize's own plugins."),
});

export default defineStep({
  name: "kustomize-build",
  summary: "Renders a kustomization to a file or a folder.",
  notes:
    "Runs the Kustomize 5 that is on the daemon's PATH, with inflation of Helm charts (which needs Helm 3) and " +
    "without plugins. The kustomization may use all of the workspace; files outside of it are refused. Files of " +
    "other servers (`https://…`) and folders of public Git repositories " +
    "(`https://github.com/org/repo//config/crd?ref=v1`) are fetched by the step, under the daemon's egress rules, " +
    "and looked through before Kustomize reads them. They get no credentials and cannot inflate charts: bring " +
    "private ones in with `git-clone` or `http-download`. Charts of repositories come under the daemon's egress rules, with credentials of kind " +
    "`helm`. Configurations of generators, transformers and validators must be files, not folders.",
  config,
  output: z.object({}),
  examples: [
    {
      title: "Render to a file",
      yaml: `
        uses: kustomize-build
        config:
          path: ./src/stages/\${{ ctx.stage }}
          outPath: ./out/manifests.yaml`,
    },
    {
      title: "Render to a folder, with charts for a certain Kubernetes",
      yaml: `
        uses: kustomize-build
        config:
          path: ./src/stages/\${{ ctx.stage }}
          outPath: ./out
          outputFormat: kustomize
          plugin:
            helm:
              kubeVersion: 1.33.0
              apiVersions:
              - monitoring.coreos.com/v1`,
    },
  ],

  async run(settings, ctx) {
    const folder = await ctx.workspace.resolve(settings.path);
    await ctx.workspace.resolve(settings.outPath);
    await withRenderPlace(ctx, async (place) => {
      const home = await realpath(place.folder);
      const remotes = new RemoteBases(ctx, path.join(home, "remote"));
      const checked = await checkKustomization(ctx.workspace, folder, remotes);
      await pullCharts(ctx, place, checked.charts);
      const target = { folder: await checked.place(path.join(home, staged)), charts: checked.charts };
      await write(ctx, settings, await build(place, settings, target));
    });
    return succeeded();
  },
});

type Config = z.output<typeof config>;

/** The folder of the workspace's stand-in, in the place where programs run. */
const staged = ".staged";

async function build(
  place: RenderPlace,
  { path: shown, plugin }: Config,
  { folder, charts }: { folder: string; charts: readonly unknown[] },
): Promise<string> {
  const { apiVersions = [], kubeVersion } = plugin?.helm ?? {};
  const args = [
    "build",
    // What it reads has been looked through, and a kustomization may use its neighbours' files.
    "--load-restrictor=LoadRestrictionsNone",
    ...(charts.length > 0 ? ["--enable-helm"] : []),
    ...apiVersions.map((version) => `--helm-api-versions=${version}`),
    ...(kubeVersion ? [`--helm-kube-version=${kubeVersion}`] : []),
    "--",
    folder,
  ];
  try {
    return (await place.run("kustomize", args, { cwd: place.folder })).stdout;
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error;
    const message = error.message.replaceAll(`${staged}/`, "");
    throw new StepFailure(error.kind, `Cannot build "${shown}": ${message}`, { cause: error });
  }
}

async function write(ctx: StepContext, { outPath, outputFormat }: Config, rendered: string): Promise<void> {
  if (isManifestFile(outPath)) return await ctx.workspace.write(outPath, rendered);
  const documents = rendered.split(/^---\n/m).filter((document) => document !== "");
  const names = documents.map((document) => {
    const found = namesOf(readManifest(document));
    if (found !== undefined) return found;
    throw new StepFailure("errored", "Cannot write a rendered manifest: its names are not text");
  });
  const files = kustomizedFileNames(names, outputFormat);
  for (const [at, document] of documents.entries()) {
    await ctx.workspace.write(`${outPath}/${files[at]}`, document);
  }
}
