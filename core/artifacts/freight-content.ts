import { freightName } from "#core/artifacts/freight-id.ts";
import type { FreightOrigin, FreightReference } from "#core/resources/freight.ts";
import type { DiscoveredArtifacts } from "#core/resources/warehouse.ts";

/**
 * The freight that the best of all discovered artifacts make, its name included. Every subscription must
 * have found something; see `missingArtifacts`.
 */
export function freightOfBest(origin: FreightOrigin, artifacts: DiscoveredArtifacts): FreightReference {
  const commits = (artifacts.git ?? []).flatMap(({ repoURL, commits: [best], subscriptionName }) => {
    if (best === undefined) return [];
    const { id, branch, tag, subject, author, committer } = best;
    return [present({ repoURL, id, branch, tag, message: subject, author, committer, subscriptionName })];
  });
  const images = (artifacts.images ?? []).flatMap(({ repoURL, references: [best], subscriptionName }) =>
    best === undefined
      ? []
      : [
          present({
            repoURL,
            tag: best.tag,
            digest: best.digest,
            annotations: best.annotations,
            subscriptionName,
          }),
        ],
  );
  const charts = (artifacts.charts ?? []).flatMap(({ repoURL, name, versions: [best], subscriptionName }) =>
    best === undefined ? [] : [present({ repoURL, name, version: best, subscriptionName })],
  );
  const others = (artifacts.results ?? []).flatMap(({ artifactReferences: [best] }) => best ?? []);
  const content = {
    origin,
    ...(commits.length > 0 ? { commits } : {}),
    ...(images.length > 0 ? { images } : {}),
    ...(charts.length > 0 ? { charts } : {}),
    ...(others.length > 0 ? { artifacts: others } : {}),
  };
  return { name: freightName(content), ...content };
}

/** Without the fields that hold nothing, as Go's `omitempty` writes them. */
function present<T extends Record<string, unknown>>(fields: T): T {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined && value !== "");
  return Object.fromEntries(entries) as T;
}

/** Kargo's words for the first subscription that found nothing. */
export interface MissingArtifacts {
  healthyReason: string;
  readyReason: string;
  message: string;
}

export function missingArtifacts(artifacts: DiscoveredArtifacts | undefined): MissingArtifacts | undefined {
  const { git = [], images = [], charts = [], results = [] } = artifacts ?? {};
  if (git.length + images.length + charts.length + results.length === 0) {
    const reason = "MissingArtifacts";
    return { healthyReason: reason, readyReason: reason, message: "No artifacts discovered" };
  }
  const commitless = git.find(({ commits }) => commits.length === 0);
  if (commitless !== undefined) {
    return {
      healthyReason: "NoCommitsDiscovered",
      readyReason: "MissingCommits",
      message: `No commits discovered for Git repository "${commitless.repoURL}"`,
    };
  }
  const imageless = images.find(({ references }) => references.length === 0);
  if (imageless !== undefined) {
    return {
      healthyReason: "NoImageReferencesDiscovered",
      readyReason: "MissingImageReferences",
      message: `No references discovered for image repository "${imageless.repoURL}"`,
    };
  }
  const versionless = charts.find(({ versions }) => versions.length === 0);
  if (versionless === undefined) return undefined;
  const chart = versionless.name ? `"${versionless.name}"` : "";
  return {
    healthyReason: "NoChartVersionsDiscovered",
    readyReason: "MissingChartVersions",
    message: `No versions discovered for chart ${chart} from repository "${versionless.repoURL}"`,
  };
}
