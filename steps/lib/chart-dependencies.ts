import { mkdir, mkdtemp, readFile, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { stringify } from "yaml";
import { StepFailure } from "#core/failure.ts";
import { fileFailure } from "#core/file-failure.ts";
import type { StepContext } from "#core/step.ts";
import {
  type ChartDependency,
  type ChartLock,
  chartHead,
  lockDigest,
  readDependencies,
  readLock,
  writeLock,
} from "./chart-lock.ts";
import { type ChartRelay, withChartRelay } from "./chart-relay.ts";
import { refuseLinksOut } from "./links-inside.ts";
import type { RenderPlace } from "./render-program.ts";

/** A version that changed: `old` is undefined for a new dependency, `now` for one that is gone. */
export interface VersionChange {
  name: string;
  old: string | undefined;
  now: string | undefined;
}

/** Brings the charts that `Chart.lock` names into `charts/`; without a lock, as `updateDependencies` does. */
export async function buildDependencies(ctx: StepContext, place: RenderPlace, chart: string): Promise<void> {
  const { text, dependencies, lock } = await readChart(ctx, chart);
  if (dependencies.length === 0) return;
  if (lock === undefined) {
    await updateDependencies(ctx, place, chart);
    return;
  }
  if (lock.digest !== lockDigest(dependencies, lock.dependencies)) {
    const what = `Cannot build the dependencies of chart "${chart}"`;
    throw new StepFailure(
      "errored",
      `${what}: Chart.lock is out of sync with Chart.yaml; run helm dependency update, or the step helm-update-chart`,
    );
  }
  const pinned = dependencies.map((one, at) => ({
    ...one,
    version: lock.dependencies[at]?.version ?? one.version,
  }));
  await fetchCharts(ctx, place, { chart, text, dependencies: pinned });
}

/** Chooses the versions anew, brings them into `charts/` and writes `Chart.lock` unless it says so already. */
export async function updateDependencies(
  ctx: StepContext,
  place: RenderPlace,
  chart: string,
): Promise<VersionChange[]> {
  const { text, dependencies, lock: before } = await readChart(ctx, chart);
  if (dependencies.length === 0) {
    if (before !== undefined) return [];
    const why = "its Chart.yaml has none, and it has no Chart.lock";
    throw new StepFailure("errored", `Cannot update the dependencies of chart "${chart}": ${why}`);
  }
  const found = await fetchCharts(ctx, place, { chart, text, dependencies });
  const locked = dependencies.map((one, at) => ({ ...one, version: found[at]?.version ?? one.version }));
  const digest = lockDigest(dependencies, locked.map(bare));
  if (before?.digest !== digest) {
    const lockFile = `${chart}/Chart.lock`;
    await ctx.workspace.write(lockFile, writeLock({ dependencies: locked, digest }, ctx.now()));
  }
  return changesOf(before?.dependencies ?? [], locked);
}

function bare({ name, version, repository }: ChartDependency): ChartDependency {
  const rest = { condition: "", tags: [], enabled: false, "import-values": [], alias: "" };
  return { name, version, repository, ...rest };
}

interface Chart {
  /** Of the workspace. */
  chart: string;
  /** Its `Chart.yaml`. */
  text: string;
  dependencies: readonly ChartDependency[];
}

async function readChart(ctx: StepContext, chart: string): Promise<Chart & { lock: ChartLock | undefined }> {
  const file = `${chart}/Chart.yaml`;
  const text = await ctx.workspace.readText(file);
  const lockFile = `${chart}/Chart.lock`;
  const lock = (await ctx.workspace.exists(lockFile))
    ? readLock(await ctx.workspace.readText(lockFile), lockFile)
    : undefined;
  return { chart, text, dependencies: readDependencies(text, file), lock };
}

/**
 * Has helm bring the dependencies into `charts/`, by way of a stand-in for the chart whose repositories are
 * the relay. Returns what helm chose.
 */
async function fetchCharts(ctx: StepContext, place: RenderPlace, chart: Chart): Promise<ChartDependency[]> {
  const root = await ctx.workspace.resolve(chart.chart);
  await refuseLinksOut(ctx.workspace, root, ctx.signal);
  return withChartRelay(ctx, async (relay) => {
    const dependencies = await Promise.all(
      chart.dependencies.map(async (one) => ({ ...one, repository: await addressOf(ctx, relay, root, one) })),
    );
    const standIn = await makeStandIn(place, root, chart.text, dependencies);
    const isPlain = dependencies.some(({ repository }) => repository.startsWith("oci://"));
    try {
      const args = ["dependency", "update", ...(isPlain ? ["--plain-http"] : []), "--", standIn];
      await place.run("helm", args, { cwd: place.folder });
    } catch (error) {
      throw relay.failure() ?? error;
    }
    return readDependencies(await readFile(path.join(standIn, "Chart.lock"), "utf8"), "Chart.lock");
  });
}

async function makeStandIn(
  { folder }: RenderPlace,
  root: string,
  text: string,
  dependencies: readonly ChartDependency[],
): Promise<string> {
  const standIn = await mkdtemp(path.join(folder, "chart-"));
  // For charts of the first version helm would write the lock elsewhere.
  const head = { ...chartHead(text), apiVersion: "v2" };
  await writeFile(path.join(standIn, "Chart.yaml"), stringify({ ...head, dependencies }));
  await mkdir(path.join(root, "charts"), { recursive: true }).catch((error: unknown) => {
    throw fileFailure(`Cannot make a folder "charts" in the chart`, error);
  });
  await symlink(path.join(root, "charts"), path.join(standIn, "charts"));
  const remote = dependencies.filter(({ repository }) => repository.startsWith("http://"));
  const repositories = remote.map(({ repository }) => ({
    name: repository.slice(repository.lastIndexOf("/") + 1),
    url: repository,
  }));
  const unique = [...new Map(repositories.map((one) => [one.url, one])).values()];
  await mkdir(path.join(folder, "config"), { recursive: true });
  await writeFile(
    path.join(folder, "config/repositories.yaml"),
    stringify({ apiVersion: "", repositories: unique }),
  );
  return standIn;
}

/** Where helm is to look for a dependency. What is not known to be harmless is refused. */
async function addressOf(
  ctx: StepContext,
  relay: ChartRelay,
  root: string,
  { name, repository }: ChartDependency,
): Promise<string> {
  if (repository === "") return repository;
  const refusal = (why: string) =>
    new StepFailure("errored", `Cannot use repository "${repository}" of chart dependency "${name}": ${why}`);
  if (repository.startsWith("file://")) {
    const folder = repository.slice("file://".length);
    if (path.isAbsolute(folder)) throw refusal("the path must be relative to the chart");
    const inside = path.join(path.relative(ctx.workspace.root, root), folder);
    const found = await ctx.workspace.resolve(inside);
    if (!(await ctx.workspace.exists(inside))) throw refusal("there is no such folder");
    await refuseLinksOut(ctx.workspace, found, ctx.signal);
    return `file://${found}`;
  }
  if (/^(https?|oci):\/\/[^/]/.test(repository)) return relay.addressOf(repository, name);
  throw refusal("it is neither an http, https or oci address nor a path such as file://../common");
}

function changesOf(before: readonly ChartDependency[], after: readonly ChartDependency[]): VersionChange[] {
  const old = new Map(before.map(({ name, version }) => [name, version]));
  const changes: VersionChange[] = [];
  for (const { name, version } of after) {
    if (old.get(name) !== version) changes.push({ name, old: old.get(name), now: version });
    old.delete(name);
  }
  return [...changes, ...[...old].map(([name, version]) => ({ name, old: version, now: undefined }))];
}
