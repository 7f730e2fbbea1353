import { z } from "zod";
import { StepFailure } from "#core/failure.ts";
import { defineStep, type StepContext, succeeded } from "#core/step.ts";
import { updateDependencies, type VersionChange } from "./lib/chart-dependencies.ts";
import { readDependencies } from "./lib/chart-lock.ts";
import { editFile } from "./lib/edit-file.ts";
import { withRenderPlace } from "./lib/render-program.ts";
import { commitMessageOutput } from "./lib/value-updates.ts";
import { updateYaml } from "./lib/yaml-edit.ts";

const Chart = z.strictObject({
  repository: z
    .string()
    .min(1)
    .describe("The dependency's repository as `Chart.yaml` has it: an `https`, `http` or `oci` address."),
  name: z.string().min(1).describe("The dependency's name, as `Chart.yaml` has it."),
  version: z.string().min(1).describe("The version to set: one, or a range of them."),
});

export default defineStep({
  name: "helm-update-chart",
  summary: "Updates the dependencies of a Helm chart, as `helm dependency update` does.",
  notes:
    "Sets the versions in `Chart.yaml` that `charts` names, and only those; then brings the newest charts that " +
    "fit into `charts/` and writes `Chart.lock`, unless it fits already. Credentials of kind `helm` are used " +
    "for repositories over `https` and `oci`. Needs Helm 3 on the daemon's PATH.",
  config: z.strictObject({
    path: z.string().min(1).describe("The chart's folder, in the workspace."),
    charts: z.array(Chart).min(1).optional().describe("The dependencies to give another version."),
  }),
  output: commitMessageOutput,
  examples: [
    {
      title: "Move a dependency to the version of the freight",
      yaml: `
        uses: helm-update-chart
        config:
          path: ./src/charts/shop
          charts:
          - repository: https://charts.example.com
            name: web
            version: \${{ chartFrom("https://charts.example.com", "web").Version }}`,
    },
    {
      title: "A chart of an OCI registry",
      yaml: `
        uses: helm-update-chart
        config:
          path: ./src/charts/shop
          charts:
          - repository: oci://registry.example.com/charts
            name: web
            version: \${{ chartFrom("oci://registry.example.com/charts/web").Version }}`,
    },
    {
      title: "Take the newest versions that Chart.yaml allows",
      yaml: `
        uses: helm-update-chart
        config:
          path: ./src/charts/shop`,
    },
  ],

  async run({ path: chart, charts = [] }, ctx) {
    await setVersions(ctx, `${chart}/Chart.yaml`, charts);
    const changes = await withRenderPlace(ctx, (place) => updateDependencies(ctx, place, chart));
    return succeeded(changes.length === 0 ? undefined : { commitMessage: message(chart, changes) });
  },
});

async function setVersions(ctx: StepContext, file: string, charts: readonly z.output<typeof Chart>[]) {
  await editFile(ctx, file, (text) => {
    const dependencies = readDependencies(text, file);
    const updates = charts.flatMap(({ repository, name, version }) => {
      const at = dependencies.findIndex((one) => one.name === name && one.repository === repository);
      if (at === -1) {
        throw new StepFailure("errored", `it has no dependency "${name}" of repository "${repository}"`);
      }
      const isSet = dependencies[at]?.version === version;
      return isSet ? [] : [{ key: `dependencies.${at}.version`, value: version }];
    });
    return updateYaml(text, updates);
  });
}

/** In Kargo's words. */
function message(chart: string, changes: readonly VersionChange[]): string {
  const lines = changes.map(({ name, old, now }) => {
    const change = old !== undefined && now !== undefined ? `${old} -> ${now}` : (now ?? "removed");
    return `\n- ${name}: ${change}`;
  });
  return `Updated chart dependencies for ${chart}\n${lines.join("")}`;
}
