import { parseRegex } from "#core/artifacts/patterns.ts";
import { parseVersionConstraint } from "#core/artifacts/version-constraint.ts";
import { normalizeGitUrl } from "#core/git/git-url.ts";
import { normalizeChartUrl, normalizeImageUrl } from "#core/oci/image-url.ts";
import type { FieldError } from "#core/resources/field-error.ts";
import { labelPattern } from "#core/resources/names.ts";
import { formatPath, type Path } from "#core/resources/path.ts";
import type { ChartSubscription, ImageSubscription, RepoSubscription } from "#core/resources/subscription.ts";
import type { Warehouse } from "#core/resources/warehouse.ts";

const base: Path = ["spec", "subscriptions"];

/** Kargo's rules for a Warehouse. */
export function warehouseErrors({ spec }: Warehouse): FieldError[] {
  return [
    ...spec.subscriptions.flatMap((subscription, index) =>
      subscriptionErrors(subscription, [...base, index]),
    ),
    ...nameErrors(spec.subscriptions),
    ...repeatedRepositories(spec.subscriptions),
  ];
}

function subscriptionErrors(subscription: RepoSubscription, path: Path): FieldError[] {
  const { git, image, chart } = subscription;
  const given = (["git", "image", "chart"] as const).filter((type) => subscription[type] !== undefined);
  if (given.length !== 1) {
    const found = given.length === 0 ? "none" : given.join(" and ");
    return [{ path, message: `a subscription has exactly one of git, image and chart; found ${found}` }];
  }
  if (git) {
    return [
      ...constraintErrors(git.semverConstraint, [...path, "git", "semverConstraint"]),
      ...regexErrors(git, [...path, "git"]),
    ];
  }
  if (image) return imageErrors(image, [...path, "image"]);
  return chart ? chartErrors(chart, [...path, "chart"]) : [];
}

function imageErrors(image: ImageSubscription, path: Path): FieldError[] {
  const { imageSelectionStrategy: strategy, constraint, platform } = image;
  const errors = regexErrors(image, path);
  if (strategy === "Digest" && !constraint) {
    errors.push({
      path: [...path, "constraint"],
      message: "the strategy Digest needs a constraint: the tag to follow",
    });
  }
  if (strategy === "SemVer") errors.push(...constraintErrors(constraint, [...path, "constraint"]));
  if (platform && !platform.includes("/")) {
    errors.push({
      path: [...path, "platform"],
      message: `expected a platform as linux/arm64, found "${platform}"`,
    });
  }
  return errors;
}

function chartErrors({ repoURL, name, semverConstraint }: ChartSubscription, path: Path): FieldError[] {
  const errors = constraintErrors(semverConstraint, [...path, "semverConstraint"]);
  if (repoURL.startsWith("oci://") && name) {
    errors.push({
      path: [...path, "name"],
      message: "a repoURL with oci:// names the chart itself; leave out name",
    });
  }
  if (/^https?:/.test(repoURL) && !name) {
    errors.push({ path: [...path, "name"], message: "name is needed: an http repository holds many charts" });
  }
  return errors;
}

function constraintErrors(constraint: string | undefined, path: Path): FieldError[] {
  if (!constraint) return [];
  return messageOf(() => parseVersionConstraint(constraint)).map((reason) => ({
    path,
    message: `"${constraint}" is not a version constraint: ${reason}`,
  }));
}

function regexErrors(
  fields: { allowTags?: string; allowTagsRegexes?: string[]; ignoreTagsRegexes?: string[] },
  path: Path,
): FieldError[] {
  const patterns: [string, Path][] = [
    ...(fields.allowTags ? [[fields.allowTags, [...path, "allowTags"]] as [string, Path]] : []),
    ...(["allowTagsRegexes", "ignoreTagsRegexes"] as const).flatMap((key) =>
      (fields[key] ?? []).map((pattern, index): [string, Path] => [pattern, [...path, key, index]]),
    ),
  ];
  return patterns.flatMap(([pattern, at]) =>
    messageOf(() => parseRegex(pattern, formatPath(at))).map((message) => ({ path: at, message })),
  );
}

function messageOf(read: () => unknown): string[] {
  try {
    read();
    return [];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

function nameErrors(subscriptions: readonly RepoSubscription[]): FieldError[] {
  const seen = new Map<string, number>();
  return subscriptions.flatMap(({ name }, index) => {
    if (!name) return [];
    const path = [...base, index, "name"];
    const errors: FieldError[] = [];
    if (name.length > 63 || !labelPattern.test(name)) {
      errors.push({ path, message: `"${name}" is not valid: expected lower-case letters, digits and "-"` });
    }
    const first = seen.get(name);
    if (first === undefined) seen.set(name, index);
    else errors.push({ path, message: `the name "${name}" is taken by subscription ${first + 1} already` });
    return errors;
  });
}

function repeatedRepositories(subscriptions: readonly RepoSubscription[]): FieldError[] {
  const seen = new Map<string, number>();
  return subscriptions.flatMap((subscription, index) => {
    const identity = identityOf(subscription);
    if (!identity) return [];
    const first = seen.get(`${identity.type} ${identity.id}`);
    if (first === undefined) {
      seen.set(`${identity.type} ${identity.id}`, index);
      return [];
    }
    const message = `the repository is subscribed to by subscription ${first + 1} already`;
    return [{ path: [...base, index, identity.type, "repoURL"], message }];
  });
}

function identityOf({ git, image, chart }: RepoSubscription): { type: string; id: string } | undefined {
  if (chart) return { type: "chart", id: chartIdentity(chart) };
  if (git) return { type: "git", id: normalizeGitUrl(git.repoURL) };
  return image && { type: "image", id: normalizeImageUrl(image.repoURL) };
}

/** An OCI repository is one chart; an http repository holds many, told apart by name. */
function chartIdentity({ repoURL, name = "" }: { repoURL: string; name?: string }): string {
  const url = normalizeChartUrl(repoURL);
  return /^https?:/.test(repoURL) ? `${url}:${name}` : url;
}
