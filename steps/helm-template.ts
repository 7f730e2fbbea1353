import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { StepFailure } from "#core/failure.ts";
import { codeOf, fileFailure } from "#core/file-failure.ts";
import { defineStep, type StepContext, succeeded } from "#core/step.ts";
import { buildDependencies } from "./lib/chart-dependencies.ts";
import { flatManifests } from "./lib/flat-manifests.ts";
import { refuseLinksOut } from "./lib/links-inside.ts";
import { type RenderPlace, withRenderPlace } from "./lib/render-program.ts";
import { isManifestFile } from "./lib/rendered-manifests.ts";
import { writeTree } from "./lib/write-tree.ts";

const SetValue = z.strictObject({
  key: z.string().min(1).describe("The value's key; dots part nested keys, as in `image.tag`."),
  value: z.string().describe("The new value."),
  literal: z
    .boolean()
    .default(false)
    .describe("Whether the value is text as it stands, as with helm's `--set-literal`."),
});

const config = z.strictObject({
  path: z.string().min(1).describe("The chart, a folder or an archive, in the workspace."),
  outPath: z
    .string()
    .min(1)
    .describe("Where to write the manifests: a file if it ends with `.yaml` or `.yml`, or else a folder."),
  outLayout: z
    .enum(["helm", "flat"])
    .default("helm")
    .describe(
      "How a folder is filled: as the chart is (`helm`), or with a file for each resource, named " +
        "`[group-]kind-[namespace-]name.yaml` (`flat`).",
    ),
  releaseName: z.string().min(1).describe("The release's name."),
  useReleaseName: z
    .boolean()
    .default(false)
    .describe("Whether the chart's folder stands in one with the release's name; for the layout `helm`."),
  namespace: z.string().optional().describe("The release's namespace; the project's name by default."),
  valuesFiles: z
    .array(z.string().min(1))
    .optional()
    .describe("Files of values, in the workspace; a later one wins over an earlier."),
  ignoreMissingValueFiles: z
    .boolean()
    .default(false)
    .describe("Whether files of values that do not exist are passed over."),
  setValues: z
    .array(SetValue)
    .optional()
    .describe("Values that win over those of files, as with helm's `--set`."),
  buildDependencies: z
    .boolean()
    .default(false)
    .describe("Whether to bring the chart's dependencies into it first, as `helm dependency build` does."),
  includeCRDs: z.boolean().default(false).describe("Whether the chart's CRDs are among the manifests."),
  disableHooks: z.boolean().default(false).describe("Whether hooks are left out."),
  skipTests: z.boolean().default(false).describe("Whether tests are left out."),
  kubeVersion: z.string().optional().describe("The version of Kubernetes that the chart is to see."),
  apiVersions: z
    .array(z.string().min(1))
    .optional()
    .describe("API versions of Kubernetes that the chart is to see."),
});

type Config = z.output<typeof config>;

export default defineStep({
  name: "helm-template",
  summary: "Renders a Helm chart to a file or a folder.",
  notes:
    "Runs the Helm 3 that is on the daemon's PATH, without plugins and without a way to the network of its own: " +
    "dependencies come under the daemon's egress rules, with credentials of kind `helm` for repositories over " +
    "`https` and `oci`. A chart with symbolic links that lead out of the workspace is refused.",
  config,
  output: z.object({}),
  examples: [
    {
      title: "Render to a file",
      yaml: `
        uses: helm-template
        config:
          path: ./src/charts/shop
          releaseName: shop
          valuesFiles:
          - ./src/charts/shop/\${{ ctx.stage }}-values.yaml
          outPath: ./out/manifests.yaml`,
    },
    {
      title: "Render to a folder, a file for each resource",
      yaml: `
        uses: helm-template
        config:
          path: ./src/charts/shop
          releaseName: shop
          namespace: shop-\${{ ctx.stage }}
          buildDependencies: true
          includeCRDs: true
          setValues:
          - key: image.tag
            value: \${{ imageFrom("registry.example.com/shop/web").Tag }}
            literal: true
          outPath: ./out
          outLayout: flat`,
    },
  ],

  async run(settings, ctx) {
    const valuesFiles = await findValuesFiles(ctx, settings);
    const chart = await ctx.workspace.resolve(settings.path);
    await ctx.workspace.resolve(settings.outPath);
    await withRenderPlace(ctx, async (place) => {
      if (settings.buildDependencies) await buildDependencies(ctx, place, settings.path);
      await checkChart(ctx, settings.path, chart);
      await render(ctx, place, settings, { chart, valuesFiles });
    });
    return succeeded();
  },
});

/** Absolute paths of the values files that are there. */
async function findValuesFiles(ctx: StepContext, settings: Config): Promise<string[]> {
  const found: string[] = [];
  for (const file of settings.valuesFiles ?? []) {
    const at = await ctx.workspace.resolve(file);
    try {
      if (!(await stat(at)).isFile()) throw new Error("it is not a regular file");
      found.push(at);
    } catch (error) {
      if (settings.ignoreMissingValueFiles && codeOf(error) === "ENOENT") continue;
      throw fileFailure(`Cannot read values file "${file}"`, error);
    }
  }
  return found;
}

async function checkChart(ctx: StepContext, shown: string, chart: string): Promise<void> {
  try {
    const found = await stat(chart);
    if (found.isDirectory()) {
      if ((await readdir(chart)).includes("Chart.yaml"))
        await refuseLinksOut(ctx.workspace, chart, ctx.signal);
      else throw new Error("the folder has no Chart.yaml");
    } else if (!found.isFile()) {
      throw new Error("it is neither a folder nor an archive");
    }
  } catch (error) {
    ctx.signal.throwIfAborted();
    throw fileFailure(`Cannot load chart "${shown}"`, error);
  }
}

interface Inputs {
  chart: string;
  valuesFiles: readonly string[];
}

async function render(ctx: StepContext, place: RenderPlace, settings: Config, inputs: Inputs): Promise<void> {
  const { path: shown, outPath, outLayout } = settings;
  const isTree = !isManifestFile(outPath) && outLayout === "helm";
  const tree = path.join(place.folder, "out");
  const args = [...helmArguments(settings, ctx.project, inputs), ...(isTree ? [`--output-dir=${tree}`] : [])];
  const { stdout } = await run(place, [...args, "--", settings.releaseName, inputs.chart], shown);
  if (isTree) await writeTree(ctx, tree, outPath);
  else if (isManifestFile(outPath)) await ctx.workspace.write(outPath, stdout);
  else {
    for (const [name, text] of flatManifests(stdout)) await ctx.workspace.write(`${outPath}/${name}`, text);
  }
}

async function run(place: RenderPlace, args: readonly string[], shown: string) {
  try {
    return await place.run("helm", args, { cwd: place.folder });
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error;
    throw new StepFailure(error.kind, `Cannot render chart "${shown}": ${error.message}`, { cause: error });
  }
}

function helmArguments(settings: Config, project: string, { valuesFiles }: Inputs): string[] {
  const { setValues = [], apiVersions = [], kubeVersion } = settings;
  const switches = {
    "--include-crds": settings.includeCRDs,
    "--no-hooks": settings.disableHooks,
    "--skip-tests": settings.skipTests,
    "--release-name": settings.useReleaseName,
  };
  return [
    "template",
    `--namespace=${settings.namespace || project}`,
    ...Object.entries(switches).flatMap(([name, isOn]) => (isOn ? [name] : [])),
    ...(kubeVersion ? [`--kube-version=${kubeVersion}`] : []),
    ...apiVersions.map((version) => `--api-versions=${listItem(version)}`),
    ...valuesFiles.map((file) => `--values=${listItem(file)}`),
    ...setValues.map(({ key, value, literal }) => `--set${literal ? "-literal" : ""}=${key}=${value}`),
  ];
}

/** Helm takes some arguments for lists of comma-separated values. */
function listItem(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
