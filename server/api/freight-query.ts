import { posix } from "node:path";
import { compareVersions, parseVersion } from "#core/artifacts/version.ts";
import { UserError } from "#core/failure.ts";
import type { Freight } from "#core/resources/freight.ts";

const groupings = ["image_repo", "git_repo", "chart_repo"] as const;
type Grouping = (typeof groupings)[number];
const orders = ["first_seen", "tag"] as const;

/** How freight is to be grouped and ordered. */
export interface FreightOrder {
  groupBy: Grouping | undefined;
  /** Only the group of this repository. */
  group: string | undefined;
  orderBy: (typeof orders)[number] | undefined;
  reverse: boolean;
}

/** Checks what a query asks for. Empty parameters count as absent. */
export function parseFreightOrder(query: Record<string, string | undefined>): FreightOrder {
  const { group, groupBy, orderBy, reverse } = query;
  if (group && !groupBy) throw new UserError("cannot filter by group without group by");
  if (groupBy && !isOneOf(groupings, groupBy)) throw new UserError(`invalid group by: ${groupBy}`);
  if (orderBy && !isOneOf(orders, orderBy)) throw new UserError(`invalid order by: ${orderBy}`);
  if (orderBy === "tag" && groupBy !== "image_repo" && groupBy !== "chart_repo") {
    throw new UserError("tag ordering only valid when grouping by: image_repo, chart_repo");
  }
  return {
    group: group || undefined,
    groupBy: groupBy ? (groupBy as Grouping) : undefined,
    orderBy: orderBy ? (orderBy as FreightOrder["orderBy"]) : undefined,
    reverse: reverse === "true",
  };
}

function isOneOf(values: readonly string[], value: string): boolean {
  return values.includes(value);
}

/** Freight by repository, or all of it under "" when it is not to be grouped; each group in order. */
export function groupFreight(freight: readonly Freight[], order: FreightOrder): Map<string, Freight[]> {
  const groups = new Map<string, Freight[]>();
  if (!order.groupBy) groups.set("", [...freight]);
  for (const one of order.groupBy ? freight : []) {
    for (const key of repositoriesOf(one, order.groupBy as Grouping)) {
      if (order.group !== undefined && key !== order.group) continue;
      groups.set(key, [...(groups.get(key) ?? []), one]);
    }
  }
  for (const group of groups.values()) {
    group.sort(order.orderBy === "tag" ? byTag : byDiscovery);
    if (order.reverse) group.reverse();
  }
  return groups;
}

function repositoriesOf({ images = [], commits = [], charts = [] }: Freight, groupBy: Grouping): string[] {
  switch (groupBy) {
    case "image_repo":
      return images.map(({ repoURL }) => repoURL);
    case "git_repo":
      return commits.map(({ repoURL }) => repoURL);
    case "chart_repo":
      return charts.map(({ repoURL, name }) => joinChart(repoURL, name));
    default:
      return groupBy satisfies never;
  }
}

/** As Kargo writes a chart's key, with what joining paths does to the slashes of a URL. */
function joinChart(repoURL: string, name: string | undefined): string {
  return posix.join(repoURL, name ?? "").replace(/(.)\/$/, "$1");
}

function byDiscovery(one: Freight, other: Freight): number {
  return discoveredAt(one) - discoveredAt(other);
}

function discoveredAt({ discoveredAt: at, metadata }: Freight): number {
  return Date.parse(at ?? metadata.creationTimestamp ?? "") || 0;
}

/** Tags are compared within one repository only; versions as versions. */
function byTag(one: Freight, other: Freight): number {
  const [ones, others] = [tagOf(one), tagOf(other)];
  if (ones.repo !== others.repo) return byDiscovery(one, other);
  const [version, otherVersion] = [parseVersion(ones.tag), parseVersion(others.tag)];
  if (version && otherVersion) return compareVersions(version, otherVersion);
  return ones.tag === others.tag ? 0 : ones.tag < others.tag ? -1 : 1;
}

function tagOf({ images: [image] = [], charts: [chart] = [] }: Freight): { repo: string; tag: string } {
  if (image) return { repo: image.repoURL, tag: image.tag ?? "" };
  if (chart) return { repo: joinChart(chart.repoURL, chart.name), tag: chart.version ?? "" };
  return { repo: "", tag: "" };
}
