import { freightOfBest } from "#core/artifacts/freight-content.ts";
import { UserError } from "#core/failure.ts";
import type { FreightReference } from "#core/resources/freight.ts";
import type { DiscoveredArtifacts, Warehouse } from "#core/resources/warehouse.ts";

/** Which version to take from one of a Warehouse's subscriptions. */
export interface Choice {
  /** Name of the subscription, its repository's address or the end of it, or the chart's name. */
  source: string;
  /** A tag, a commit or the beginning of it, a digest, or a version. */
  version: string;
}

/**
 * Freight of what a Warehouse has discovered: of each subscription what is chosen, and of the others the
 * best. Throws a UserError that tells what there is to choose from.
 */
export function freightOfChoices(warehouse: Warehouse, choices: readonly Choice[]): FreightReference {
  const { name } = warehouse.metadata;
  const discovered = warehouse.status?.discoveredArtifacts;
  if (discovered === undefined) {
    throw new UserError(`Warehouse "${name}" has not discovered anything yet`, {
      hint: `see why with \`towpath describe warehouse ${name}\``,
    });
  }
  const sources = sourcesOf(discovered);
  const chosen = new Map(choices.map((choice) => pick(sources, choice)));
  const origin = { kind: "Warehouse", name } as const;
  return freightOfBest(origin, withChosen(discovered, sources, chosen));
}

/** One subscription's findings, whatever they are. */
interface Source {
  names: string[];
  /** The names of each version. */
  versions: string[][];
}

function sourcesOf({ git = [], images = [], charts = [] }: DiscoveredArtifacts): Source[] {
  return [
    ...git.map(({ repoURL, subscriptionName, commits }) => ({
      names: namesOf(repoURL, subscriptionName),
      versions: commits.map(({ tag, id }) => [tag, id].filter((name) => name !== undefined)),
    })),
    ...images.map(({ repoURL, subscriptionName, references }) => ({
      names: namesOf(repoURL, subscriptionName),
      versions: references.map(({ tag, digest }) => [tag, digest]),
    })),
    ...charts.map(({ repoURL, subscriptionName, name, versions }) => ({
      names: namesOf(repoURL, subscriptionName, name),
      versions: versions.map((version) => [version]),
    })),
  ];
}

function namesOf(repoURL: string, ...others: (string | undefined)[]): string[] {
  return [repoURL, ...others.filter((name) => name !== undefined && name !== "")] as string[];
}

/** The source that a choice means, and the index of the version. */
function pick(sources: readonly Source[], { source, version }: Choice): [Source, number] {
  const exact = sources.filter(({ names }) => names.includes(source));
  const found = exact.length > 0 ? exact : sources.filter(({ names }) => endsWith(names[0] ?? "", source));
  const [only, ...others] = found;
  if (only === undefined || others.length > 0) {
    const known = sources.map(({ names }) => `"${names.at(-1)}"`).join(", ");
    const why =
      only === undefined ? "the Warehouse has no such subscription" : "several subscriptions fit it";
    throw new UserError(`Cannot choose from "${source}": ${why}`, { hint: `there are ${known}` });
  }
  const index = only.versions.findIndex((names) => names.some((name) => fits(name, version)));
  if (index >= 0) return [only, index];
  const known = only.versions.slice(0, 5).map(([name]) => name);
  throw new UserError(`Cannot choose "${version}" from "${source}": it was not discovered`, {
    hint: known.length === 0 ? "nothing was" : `the best are ${known.join(", ")}`,
  });
}

function endsWith(repoURL: string, source: string): boolean {
  return source !== "" && repoURL.replace(/\.git$/, "").endsWith(`/${source}`);
}

/** Commits may be shortened, as people do. */
function fits(name: string, version: string): boolean {
  return name === version || (/^[0-9a-f]{7,40}$/.test(version) && name.startsWith(version));
}

/** The findings with what is chosen in the first place, where the best stands otherwise. */
function withChosen(
  { discoveredAt, git = [], images = [], charts = [], results }: DiscoveredArtifacts,
  sources: readonly Source[],
  chosen: ReadonlyMap<Source, number>,
): DiscoveredArtifacts {
  let next = 0;
  const choose = <T>(all: readonly T[]): T[] => {
    const source = sources[next++];
    const picked = all[source === undefined ? 0 : (chosen.get(source) ?? 0)];
    return picked === undefined ? [] : [picked];
  };
  return {
    discoveredAt,
    git: git.map((result) => ({ ...result, commits: choose(result.commits) })),
    images: images.map((result) => ({ ...result, references: choose(result.references) })),
    charts: charts.map((result) => ({ ...result, versions: choose(result.versions) })),
    ...(results === undefined ? {} : { results }),
  };
}
