import { type ArgoAddress, argoAddresses } from "#core/argocd/addresses.ts";
import type { Gate } from "#core/promotion/gates.ts";
import type { Freight } from "#core/resources/freight.ts";
import type { Promotion } from "#core/resources/promotion.ts";
import type { Stage } from "#core/resources/stage.ts";
import type { Warehouse } from "#core/resources/warehouse.ts";
import { isFreightAvailable } from "#core/stages/availability.ts";
import type { FreezeSpec } from "#core/stages/freeze.ts";
import type { Api } from "#server/api/api.ts";
import { mayAnswer } from "#server/api/gates.ts";
import { byName } from "#server/api/lists.ts";
import type { Identity } from "#server/auth/identity.ts";
import { isAllowed } from "#server/auth/policy.ts";

/** All that the status page shows. */
export interface StatusView {
  projects: string[];
  /** The project that is shown; absent when there is none. */
  pipeline: PipelineView | undefined;
  /** Open gates of all projects. */
  gates: { gate: Gate; mayAnswer: boolean }[];
  mayPromote: boolean;
}

export interface PipelineView {
  project: string;
  /** What the project is under: its own, its stages' and one of everything. */
  freezes: FreezeSpec[];
  warehouses: Warehouse[];
  /** From the source to the end: each entry holds the stages that are equally far. */
  columns: StageView[][];
  /** The newest first. */
  freight: Freight[];
  /** Whether there is more. */
  hasOlderFreight: boolean;
}

export interface StageView {
  stage: Stage;
  /** The promotion that is under way. */
  current: Promotion | undefined;
  /** How many promotions wait behind it. */
  waiting: number;
  /** Freight that could be promoted now, the newest first. */
  choices: Freight[];
  /** The Argo CD that its Applications are at. */
  argo: ArgoAddress | undefined;
}

const shownFreight = 20;

export async function loadStatus(
  api: Api,
  identity: Identity,
  wanted: string | undefined,
): Promise<StatusView> {
  const all = (await api.store.list({ kind: "Project" })).sort(byName).map(({ metadata }) => metadata.name);
  const projects = all.filter((name) => identity.project === undefined || name === identity.project);
  const project = projects.find((name) => name === wanted) ?? projects[0];
  return {
    projects,
    pipeline: project === undefined ? undefined : await loadPipeline(api, project),
    gates: (await api.gates.list(identity.project)).map((gate) => ({
      gate,
      mayAnswer: mayAnswer(identity, gate),
    })),
    mayPromote: isAllowed(identity, "promote", project),
  };
}

async function loadPipeline({ store, freezes, now }: Api, project: string): Promise<PipelineView> {
  const stages = (await store.list({ kind: "Stage", project })) as Stage[];
  const promotions = (await store.list({
    kind: "Promotion",
    project,
    where: { "status.phase": ["Pending", "Running", null] },
  })) as Promotion[];
  const latest = (await store.list({ kind: "Freight", project, limit: shownFreight + 1 })) as Freight[];
  const recent = latest.slice(0, shownFreight).sort(newestFirst);
  const argo = await argoAddresses(store, project);
  const viewOf = (stage: Stage): StageView => {
    const own = promotions.filter(({ spec }) => spec.stage === stage.metadata.name);
    const current = own.find(({ status }) => status?.phase === "Running");
    const isStation = (stage.spec.promotionTemplate?.spec.steps?.length ?? 0) > 0;
    return {
      stage,
      current,
      waiting: own.length - (current ? 1 : 0),
      choices: isStation ? recent.filter((one) => isFreightAvailable(stage, one, now())) : [],
      argo: argo[stage.spec.shard ?? ""] ?? argo[""],
    };
  };
  return {
    project,
    freezes: await freezes.list(project),
    warehouses: (await store.list({ kind: "Warehouse", project })) as Warehouse[],
    columns: arrange(stages).map((column) => column.map(viewOf)),
    freight: recent,
    hasOlderFreight: latest.length > shownFreight,
  };
}

function newestFirst(one: Freight, other: Freight): number {
  return foundAt(other).localeCompare(foundAt(one));
}

export function foundAt({ discoveredAt, metadata }: Freight): string {
  return discoveredAt ?? metadata.creationTimestamp ?? "";
}

/** Stages by their distance from the source. What hangs on nothing that is there, or on itself, comes last. */
export function arrange(stages: readonly Stage[]): Stage[][] {
  const byName = new Map(stages.map((stage) => [stage.metadata.name, stage]));
  const depths = new Map<string, number>();
  const depthOf = (stage: Stage, path: ReadonlySet<string>): number => {
    const { name } = stage.metadata;
    const known = depths.get(name);
    if (known !== undefined) return known;
    const upstream = upstreamOf(stage).flatMap((one) => byName.get(one) ?? []);
    const open = upstream.filter((one) => !path.has(one.metadata.name));
    const inner = new Set([...path, name]);
    const depth = Math.max(-1, ...open.map((one) => depthOf(one, inner))) + 1;
    depths.set(name, depth);
    return depth;
  };
  const columns: Stage[][] = [];
  for (const stage of stages) {
    const depth = depthOf(stage, new Set([stage.metadata.name]));
    columns[depth] = [...(columns[depth] ?? []), stage];
  }
  return columns.filter((column) => column !== undefined);
}

export function upstreamOf({ spec }: Stage): string[] {
  return spec.requestedFreight.flatMap(({ sources }) => sources.stages ?? []);
}
