import { createHash } from "node:crypto";
import path from "node:path";
import { normalizeGitUrl } from "#core/git/git-url.ts";
import { normalizeChartUrl } from "#core/oci/image-url.ts";
import type {
  ArtifactReference,
  Chart,
  FreightReference,
  GitCommit,
  Image,
} from "#core/resources/freight.ts";
import { originKey } from "#core/resources/freight.ts";

/** Kargo's name for freight: a hash of its origin and contents. The same contents always have the same name. */
export function freightName(
  freight: Pick<FreightReference, "origin" | "commits" | "images" | "charts" | "artifacts">,
): string {
  const parts = [
    ...(freight.commits ?? []).map(commitPart),
    ...(freight.images ?? []).map(imagePart),
    ...(freight.charts ?? []).map(chartPart),
    ...(freight.artifacts ?? []).map(artifactPart),
  ];
  return sha1(`${originKey(freight.origin)}:${inByteOrder(parts).join("|")}`);
}

/** The tag belongs to it: a commit that is tagged once more is new freight. */
function commitPart({ repoURL, tag, id = "", subscriptionName }: GitCommit): string {
  return joined(normalizeGitUrl(repoURL), tag || undefined, id, subscriptionName || undefined);
}

/** Tag and digest: a tag may move, and an image may get another tag. */
function imagePart({ repoURL, tag = "", digest = "", subscriptionName }: Image): string {
  return joined(repoURL, `${tag}@${digest}`, subscriptionName || undefined);
}

function chartPart({ repoURL, name = "", version = "", subscriptionName }: Chart): string {
  return joined(joinPath(normalizeChartUrl(repoURL), name), version, subscriptionName || undefined);
}

function artifactPart({ artifactType = "", subscriptionName, version }: ArtifactReference): string {
  return joined(artifactType, subscriptionName, version);
}

function joined(...parts: (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined).join(":");
}

/** As Go joins paths: slashes that repeat or end it fall away, those of `https://` too. */
function joinPath(base: string, name: string): string {
  if (base === "" && name === "") return "";
  const whole = path.posix.join(base, name);
  return whole.length > 1 ? whole.replace(/\/$/, "") : whole;
}

function inByteOrder(texts: readonly string[]): string[] {
  return [...texts].sort((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
}

function sha1(text: string): string {
  return createHash("sha1").update(text).digest("hex");
}
