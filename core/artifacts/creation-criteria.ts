import { evaluateToBoolean, readTime } from "#core/artifacts/expression-filter.ts";
import type { Expressions, HostFunctions } from "#core/expressions/expressions.ts";
import { artifact, chart } from "#core/expressions/kargo-types.ts";
import { Struct } from "#core/expressions/runtime/values.ts";
import { normalizeGitUrl } from "#core/git/git-url.ts";
import { normalizeChartUrl, normalizeImageUrl } from "#core/oci/image-url.ts";
import type { DiscoveredArtifacts, WarehouseSpec } from "#core/resources/warehouse.ts";

/** Whether freight may be made of the best of these artifacts. Throws what is wrong with the expression. */
export async function meetsCriteria(
  criteria: WarehouseSpec["freightCreationCriteria"],
  artifacts: DiscoveredArtifacts,
  expressions: Pick<Expressions, "evaluate">,
): Promise<boolean> {
  const expression = criteria?.expression?.trim() ?? "";
  if (expression === "") return true;
  return evaluateToBoolean(expressions, expression, { env: {}, functions: discoveredFunctions(artifacts) });
}

/** `commitFrom` and its like, as they stand in a Warehouse's criteria: they give the best of what was found. */
export function discoveredFunctions(artifacts: DiscoveredArtifacts): HostFunctions {
  return {
    commitFrom: {
      minArgs: 1,
      maxArgs: 1,
      call: ([repoURL]) => bestCommit(artifacts, textOf(repoURL, "first")),
    },
    imageFrom: {
      minArgs: 1,
      maxArgs: 1,
      call: ([repoURL]) => bestImage(artifacts, textOf(repoURL, "first")),
    },
    chartFrom: {
      minArgs: 1,
      maxArgs: 2,
      call: ([repoURL, name = ""]) => bestChart(artifacts, textOf(repoURL, "first"), textOf(name, "second")),
    },
    artifactFrom: {
      minArgs: 1,
      maxArgs: 1,
      call: ([name]) => bestArtifact(artifacts, textOf(name, "first")),
    },
  };
}

function bestCommit({ git = [] }: DiscoveredArtifacts, repoURL: string): Struct | null {
  const wanted = normalizeGitUrl(repoURL);
  const results = git.filter((result) => normalizeGitUrl(result.repoURL) === wanted);
  const best = results.find(({ commits }) => commits.length > 0)?.commits[0];
  if (best === undefined) return null;
  const { id = "", branch = "", tag = "", subject = "", author = "", committer = "", creatorDate } = best;
  return struct("v1alpha1.DiscoveredCommit", {
    ID: id,
    Branch: branch,
    Tag: tag,
    Subject: subject,
    Author: author,
    Committer: committer,
    CreatorDate: creatorDate === undefined ? null : readTime(creatorDate),
  });
}

function bestImage({ images = [] }: DiscoveredArtifacts, repoURL: string): Struct | null {
  const wanted = normalizeImageUrl(repoURL);
  const results = images.filter((result) => normalizeImageUrl(result.repoURL) === wanted);
  const best = results.find(({ references }) => references.length > 0)?.references[0];
  if (best === undefined) return null;
  return struct("v1alpha1.DiscoveredImageReference", {
    Tag: best.tag,
    Digest: best.digest,
    Annotations: best.annotations ?? {},
    CreatedAt: best.createdAt === undefined ? null : readTime(best.createdAt),
  });
}

function bestChart({ charts = [] }: DiscoveredArtifacts, repoURL: string, name: string): Struct | null {
  const wanted = normalizeChartUrl(repoURL);
  const results = charts.filter(
    (result) => normalizeChartUrl(result.repoURL) === wanted && (name === "" || result.name === name),
  );
  const found = results.find(({ versions }) => versions.length > 0);
  if (found === undefined) return null;
  const version = found.versions[0] ?? "";
  return chart.of({ repoURL: wanted, name: found.name, version });
}

function bestArtifact({ results = [] }: DiscoveredArtifacts, name: string): Struct | null {
  const best = results.find((result) => result.name === name)?.artifactReferences[0];
  return best === undefined ? null : artifact.of(best);
}

/** A struct whose JSON names are its Go names with a small start, as all of these have them. */
function struct(type: string, values: Record<string, unknown>): Struct {
  const fields = Object.entries(values).map(([name, value]) => {
    const json = name === "ID" ? "id" : name[0]?.toLowerCase() + name.slice(1);
    return { name, json, value, omitEmpty: true };
  });
  return new Struct(type, fields);
}

function textOf(value: unknown, which: string): string {
  if (typeof value === "string") return value;
  throw new Error(`${which} argument must be string`);
}
