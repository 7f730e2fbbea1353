import path from "node:path";
import { StepFailure } from "#core/failure.ts";
import type { StepContext } from "#core/step.ts";
import type { Workspace } from "#core/workspace.ts";
import { withChartRelay } from "./chart-relay.ts";
import { refuseLinksOut } from "./links-inside.ts";
import type { RenderPlace } from "./render-program.ts";

/** A chart that a kustomization inflates. */
export interface KustomizedChart {
  name: string;
  /** "" for a chart that is in the workspace. */
  repo: string;
  version: string;
  devel: boolean;
  /** The folder that is to hold the chart's own, relative to the workspace. */
  home: string;
}

/** Fields of a chart and of what holds for all charts that are looked at here. */
const chartFields = [
  ...["name", "chartName", "version", "chartVersion", "repo", "chartRepoUrl", "devel"],
  ...["releaseName", "additionalValuesFiles", "valuesInline", "values"],
  ...["chartHome", "configHome", "helmHome"],
];

/**
 * Kustomize takes a field however its letters are written, `Name` for `name`; what is looked at here has one
 * spelling only.
 */
export function refuseOtherSpellings(data: Record<string, unknown>, fields: readonly string[]): void {
  const spelling = new Map(fields.map((field) => [folded(field), field]));
  for (const key of Object.keys(data)) {
    const meant = spelling.get(folded(key));
    if (meant === undefined || meant === key) continue;
    throw new StepFailure(
      "refused",
      `Cannot build with the field ${JSON.stringify(key)}: write it as "${meant}"`,
    );
  }
}

/** As Go compares: the long s and the sign of Kelvin are letters of ASCII, too. */
function folded(key: string): string {
  return key.replaceAll("\u017f", "s").replaceAll("\u212a", "k").toLowerCase();
}

/** Reads an entry of `helmCharts`. Kustomize hands its fields to helm as they are, so they must not be options. */
export async function kustomizedChart(
  workspace: Workspace,
  folder: string,
  entry: Record<string, unknown>,
  globals: unknown,
): Promise<KustomizedChart> {
  refuseOtherSpellings(entry, chartFields);
  const text = (...fields: string[]) => {
    const value = fields.map((field) => entry[field]).find((one) => typeof one === "string" && one !== "");
    return typeof value === "string" ? value : "";
  };
  const name = text("name", "chartName");
  const version = text("version", "chartVersion");
  const repo = text("repo", "chartRepoUrl");
  const refusal = (why: string) =>
    new StepFailure("refused", `Cannot inflate Helm chart "${name || "without a name"}": ${why}`);
  if (name !== "" && !/^[\w.][\w.-]*$|^\w$/.test(name)) throw refusal("its name is no name of a chart");
  if (name === "." || name === "..") throw refusal("its name is no name of a chart");
  if (/[/\\]/.test(version)) throw refusal(`"${version}" is no version`);
  if (text("releaseName").startsWith("-")) throw refusal("a release's name cannot begin with a dash");
  for (const file of [entry.additionalValuesFiles].flat()) {
    if (typeof file === "string" && /[,"\r\n]/.test(file)) {
      throw refusal(`names of values files cannot have commas or quotes, as "${file}" has`);
    }
  }
  const forAll = (typeof globals === "object" && globals !== null ? globals : {}) as Record<string, unknown>;
  refuseOtherSpellings(forAll, chartFields);
  const { chartHome, configHome } = forAll;
  for (const home of [configHome, entry.configHome, entry.helmHome]) {
    if (typeof home === "string" && home !== "") await insideOf(workspace, folder, home);
  }
  const base = [entry.chartHome, chartHome, "charts"].find((home) => typeof home === "string" && home !== "");
  const inside = await insideOf(workspace, folder, String(base));
  return {
    name,
    repo,
    version,
    devel: entry.devel === true,
    home: repo !== "" && version !== "" ? path.join(inside, `${name}-${version}`) : inside,
  };
}

/** A folder as Kustomize finds it, relative to the workspace; refused when it is none of the workspace's. */
async function insideOf(workspace: Workspace, folder: string, wanted: string): Promise<string> {
  const inside = path.relative(workspace.root, path.resolve(folder, wanted));
  if (inside === ".." || inside.startsWith("../")) {
    throw new StepFailure(
      "refused",
      `Cannot use "${wanted}" for Helm charts: it is outside of the workspace`,
    );
  }
  await workspace.resolve(inside);
  return inside;
}

/** Pulls the charts that are not there yet, since Kustomize has no way to a repository here. */
export async function pullCharts(
  ctx: StepContext,
  place: RenderPlace,
  charts: readonly KustomizedChart[],
): Promise<void> {
  for (const chart of charts) {
    if (chart.name === "") continue;
    const there = path.join(chart.home, chart.name);
    if (chart.repo !== "" && !(await ctx.workspace.exists(there))) await pull(ctx, place, chart);
    if (!(await ctx.workspace.exists(there))) continue;
    await refuseLinksOut(ctx.workspace, await ctx.workspace.resolve(there), ctx.signal);
  }
}

async function pull(ctx: StepContext, place: RenderPlace, chart: KustomizedChart): Promise<void> {
  const { name, repo, version, devel, home } = chart;
  if (!/^(?:https?|oci):\/\/[^/]/.test(repo)) {
    const why = `its repository "${repo}" is neither an http, an https nor an oci address`;
    throw new StepFailure("errored", `Cannot inflate Helm chart "${name}": ${why}`);
  }
  const target = await ctx.workspace.resolve(home);
  await withChartRelay(ctx, async (relay) => {
    const address = relay.addressOf(repo.replace(/\/+$/, ""), name);
    const isOci = address.startsWith("oci://");
    const args = [
      "pull",
      "--untar",
      `--untardir=${target}`,
      ...(version === "" ? [] : [`--version=${version}`]),
      ...(devel ? ["--devel"] : []),
      ...(isOci ? ["--plain-http", "--", `${address}/${name}`] : [`--repo=${address}`, "--", name]),
    ];
    try {
      await place.run("helm", args, { cwd: place.folder });
    } catch (error) {
      throw relay.failure() ?? error;
    }
  });
}
