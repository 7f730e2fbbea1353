import { isDeepStrictEqual } from "node:util";
import { normalizeGitUrl } from "#core/git/git-url.ts";
import { normalizeChartUrl } from "#core/oci/image-url.ts";
import type { FieldError } from "#core/resources/field-error.ts";
import type { Freight } from "#core/resources/freight.ts";
import type { Warehouse } from "#core/resources/warehouse.ts";

/** Kargo's rules for a new piece of freight, as far as it says itself. */
export function freightErrors({
  commits = [],
  images = [],
  charts = [],
  artifacts = [],
}: Freight): FieldError[] {
  if (commits.length + images.length + charts.length + artifacts.length > 0) return [];
  return [{ path: [], message: "freight needs at least one commit, image or chart" }];
}

/** What freight is made of never changes. */
export function freightChanges(before: Freight, after: Freight): FieldError[] {
  return (["origin", "commits", "images", "charts", "artifacts"] as const)
    .filter((field) => !isDeepStrictEqual(before[field] ?? [], after[field] ?? []))
    .map((field) => ({
      path: [field],
      message: `freight never changes: "${field}" differs from what it was`,
    }));
}

type ArtifactType = "commits" | "images" | "charts";

/** Freight holds exactly one artifact for each subscription of its Warehouse, and nothing else. */
export function freightContentErrors(freight: Freight, warehouse: Warehouse): FieldError[] {
  const wanted = subscribed(warehouse);
  const found = contents(freight);
  const name = warehouse.metadata.name;
  const strange = found.filter(({ id }) => !wanted.some((subscription) => subscription.id === id));
  const strangers = strange.map(({ type, index, url }) => ({
    path: [type, index],
    message: `Warehouse "${name}" has no subscription for "${url}"`,
  }));
  const wrongNumber = wanted.flatMap(({ type, id, url }) => {
    const count = found.filter((artifact) => artifact.id === id).length;
    if (count === 1) return [];
    const how = count === 0 ? "no artifact" : `${count} artifacts`;
    return [
      { path: [type], message: `there is ${how} for the subscription to "${url}" of Warehouse "${name}"` },
    ];
  });
  return [...strangers, ...wrongNumber];
}

function subscribed({ spec }: Warehouse): { type: ArtifactType; id: string; url: string }[] {
  return spec.subscriptions.flatMap(({ git, image, chart }) => [
    ...(git ? [{ type: "commits" as const, id: gitId(git), url: git.repoURL }] : []),
    ...(image ? [{ type: "images" as const, id: imageId(image), url: image.repoURL }] : []),
    ...(chart ? [{ type: "charts" as const, id: chartId(chart), url: chart.repoURL }] : []),
  ]);
}

function contents(freight: Freight): { type: ArtifactType; index: number; id: string; url: string }[] {
  return [
    ...(freight.commits ?? []).map((commit, index) => ({
      type: "commits" as const,
      index,
      id: gitId(commit),
      url: commit.repoURL,
    })),
    ...(freight.images ?? []).map((image, index) => ({
      type: "images" as const,
      index,
      id: imageId(image),
      url: image.repoURL,
    })),
    ...(freight.charts ?? []).map((chart, index) => ({
      type: "charts" as const,
      index,
      id: chartId(chart),
      url: chart.repoURL,
    })),
  ];
}

const gitId = ({ repoURL }: { repoURL: string }) => `git ${normalizeGitUrl(repoURL)}`;
const imageId = ({ repoURL }: { repoURL: string }) => `image ${repoURL}`;
const chartId = ({ repoURL, name = "" }: { repoURL: string; name?: string }) =>
  `chart ${normalizeChartUrl(repoURL)}/${name}`;
