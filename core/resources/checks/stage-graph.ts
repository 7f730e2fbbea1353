import type { Finding } from "#core/resources/checks/finding.ts";
import { refIn, type World } from "#core/resources/checks/world.ts";
import { originKey } from "#core/resources/freight.ts";
import type { LoadedResource } from "#core/resources/load.ts";
import type { FreightRequest, Stage } from "#core/resources/stage.ts";

/** One stage's wish for the freight of one origin, and the stages that could pass it on. */
interface Wish {
  stage: LoadedResource;
  name: string;
  project: string | undefined;
  index: number;
  request: FreightRequest;
  origin: string;
}

/** Whether freight can go through the stages: no circles, and a way from the Warehouse to each stage. */
export function checkStageGraph(world: World): Finding[] {
  const wishes = world.resources.filter(({ resource }) => resource.kind === "Stage").flatMap(wishesOf);
  const byKey = new Map(wishes.map((wish) => [keyOf(wish.project, wish.name, wish.origin), wish]));
  const upstreamOf = (wish: Wish) =>
    (wish.request.sources.stages ?? []).map((name) => ({
      name,
      wish: byKey.get(keyOf(wish.project, name, wish.origin)),
    }));

  const cycles = findCycles(wishes, upstreamOf);
  const inCycle = new Set(cycles.flat());
  const reachable = findReachable(wishes, world, upstreamOf);
  return [
    ...cycles.map(describeCycle),
    ...wishes.flatMap((wish) => deafUpstreams(wish, world, upstreamOf)),
    ...wishes.filter((wish) => !inCycle.has(wish) && !reachable.has(wish)).map(unreachable),
  ];
}

type UpstreamOf = (wish: Wish) => { name: string; wish: Wish | undefined }[];

function wishesOf(stage: LoadedResource): Wish[] {
  const { metadata, spec } = stage.resource as unknown as Stage;
  return spec.requestedFreight.map((request, index) => ({
    stage,
    name: metadata.name,
    project: metadata.namespace,
    index,
    request,
    origin: originKey(request.origin),
  }));
}

function keyOf(project: string | undefined, stage: string, origin: string): string {
  return JSON.stringify([project, stage, origin]);
}

/** Each circle once, in the direction that freight would take. */
function findCycles(wishes: readonly Wish[], upstreamOf: UpstreamOf): Wish[][] {
  const done = new Set<Wish>();
  const cycles: Wish[][] = [];
  const follow = (wish: Wish, trail: Wish[]) => {
    const seenAt = trail.indexOf(wish);
    if (seenAt >= 0) cycles.push(trail.slice(seenAt).reverse());
    if (seenAt >= 0 || done.has(wish)) return;
    for (const upstream of upstreamOf(wish)) if (upstream.wish) follow(upstream.wish, [...trail, wish]);
    done.add(wish);
  };
  for (const wish of wishes) follow(wish, []);
  return cycles;
}

function describeCycle(cycle: Wish[]): Finding {
  const start = cycle.toSorted((a, b) => (a.name < b.name ? -1 : 1))[0] as Wish;
  const from = cycle.indexOf(start);
  const names = [...cycle.slice(from), ...cycle.slice(0, from), start].map(({ name }) => name);
  return {
    resource: start.stage,
    severity: "error",
    path: [...pathOf(start), "sources", "stages"],
    message: `the stages form a circle for freight of ${start.origin}: ${names.join(" → ")}`,
  };
}

/** Upstream stages that are there, but do not ask for the freight that this stage wants of them. */
function deafUpstreams(wish: Wish, world: World, upstreamOf: UpstreamOf): Finding[] {
  return upstreamOf(wish).flatMap((upstream, index): Finding[] => {
    if (upstream.wish || !world.find(refIn(wish.project, "Stage", upstream.name))) return [];
    const message = `stage "${upstream.name}" does not request freight of ${wish.origin}, so none can come from it`;
    return [
      {
        resource: wish.stage,
        severity: "warning",
        path: [...pathOf(wish), "sources", "stages", index],
        message,
      },
    ];
  });
}

/** The wishes that freight can fulfil; found by going on from those that are fulfilled until none is added. */
function findReachable(wishes: readonly Wish[], world: World, upstreamOf: UpstreamOf): Set<Wish> {
  const reached = new Set<Wish>();
  // A stage that is not among the checked ones is given the benefit of the doubt.
  const passesOn = (from: Wish) => (source: { name: string; wish: Wish | undefined }) =>
    source.wish ? reached.has(source.wish) : !world.find(refIn(from.project, "Stage", source.name));
  const isReached = (wish: Wish) => {
    const { direct = false, availabilityStrategy } = wish.request.sources;
    const upstream = upstreamOf(wish);
    if (direct || upstream.length === 0) return direct;
    return availabilityStrategy === "All" ? upstream.every(passesOn(wish)) : upstream.some(passesOn(wish));
  };
  for (let before = -1; before !== reached.size; ) {
    before = reached.size;
    for (const wish of wishes) if (!reached.has(wish) && isReached(wish)) reached.add(wish);
  }
  return reached;
}

function unreachable(wish: Wish): Finding {
  const none = (wish.request.sources.stages ?? []).length === 0;
  const why = none ? "; give sources.direct or sources.stages" : "";
  return {
    resource: wish.stage,
    severity: "warning",
    path: [...pathOf(wish), "sources"],
    message: `no freight of ${wish.origin} can reach stage "${wish.name}"${why}`,
  };
}

function pathOf(wish: Wish): (string | number)[] {
  return ["spec", "requestedFreight", wish.index];
}
