import { z } from "zod";

const gitURLPattern =
  /(?:^(?:ssh|https?):\/\/(?:(?:[\w-]+)(?::(?:.+))?@)?(?:[\w-]+(?:\.[\w-]+)*)(?::(?:\d{1,5}))?(?:\/.*)$)|(?:^(?:[\w-]+)@(?:[\w+]+(?:\.[\w-]+)*):(?:\/?.*))|(?:^file:\/\/\/.+$)/;
const imageURLPattern = /^(?:\w+(?:[.-]\w+)*(?::[\d]+)?\/)?(?:\w+(?:[.-]\w+)*)(?:\/\w+(?:[.-]\w+)*)*$/;
const chartURLPattern = /^(?:(?:https?)|(?:oci)):\/\/(?:[\w\d.-]+)(?::[\d]+)?(?:\/.*)*$/;
const branchPattern = /^[a-zA-Z0-9](?:[a-zA-Z0-9._/-]*[a-zA-Z0-9_-])?$/;

const discoveryLimit = z
  .int()
  .min(0)
  .max(100)
  .default(20)
  .describe("How many artifacts to keep of those found; 20 with 0.");
const insecureSkipTLSVerify = z.boolean().optional().describe("Accept any certificate. For tests only.");
const strictSemvers = z
  .boolean()
  .default(true)
  .describe("Take only tags with major, minor and patch number.");
const tagRules = {
  allowTags: z
    .string()
    .optional()
    .describe("Deprecated: use allowTagsRegexes. Pattern that tags must match."),
  allowTagsRegexes: z.array(z.string()).optional().describe("Patterns; a tag must match one of them."),
  ignoreTags: z
    .array(z.string())
    .optional()
    .describe("Deprecated: use ignoreTagsRegexes. Tags to leave out."),
  ignoreTagsRegexes: z.array(z.string()).optional().describe("Patterns; a tag that matches one is left out."),
};

export const GitSubscription = z.strictObject({
  repoURL: z
    .string()
    .min(1)
    .regex(gitURLPattern, { error: "expected the URL of a Git repository" })
    .describe("URL of the repository."),
  commitSelectionStrategy: z
    .enum(["NewestFromBranch", "SemVer", "Lexical", "NewestTag"])
    .default("NewestFromBranch")
    .describe("Which commits count, and which is the best."),
  branch: z
    .string()
    .max(255)
    .regex(branchPattern, { error: "expected the name of a branch" })
    .optional()
    .describe("Branch for NewestFromBranch; the repository's default branch without it."),
  strictSemvers,
  semverConstraint: z.string().optional().describe("Range that versions must lie in, for SemVer."),
  ...tagRules,
  expressionFilter: z.string().optional().describe("Expression that must be true for a commit or tag."),
  insecureSkipTLSVerify,
  blobless: z.boolean().optional().describe("Fetch commits without file contents."),
  includePaths: z
    .array(z.string())
    .optional()
    .describe("Only commits that change these paths; `glob:`, `regex:` or a prefix."),
  excludePaths: z.array(z.string()).optional().describe("Not commits that change nothing but these paths."),
  discoveryLimit,
  since: z.iso
    .datetime({ offset: true, error: "expected a time such as 2030-01-02T03:04:05Z" })
    .optional()
    .describe("Only commits at or after this time; RFC 3339."),
});
export type GitSubscription = z.infer<typeof GitSubscription>;

export const ImageSubscription = z.strictObject({
  repoURL: z
    .string()
    .min(1)
    .regex(imageURLPattern, { error: "expected an image repository without scheme, tag and digest" })
    .describe("Repository of the image, without tag."),
  imageSelectionStrategy: z
    .enum(["Digest", "Lexical", "NewestBuild", "SemVer"])
    .default("SemVer")
    .describe("Which image is the best."),
  strictSemvers,
  constraint: z.string().optional().describe("For SemVer: range of versions. For Digest: the tag to follow."),
  ...tagRules,
  platform: z.string().optional().describe("Only images for this platform, as `linux/arm64`."),
  insecureSkipTLSVerify,
  discoveryLimit,
  cacheByTag: z.boolean().optional().describe("Take it that tags never move, and remember what they name."),
});
export type ImageSubscription = z.infer<typeof ImageSubscription>;

export const ChartSubscription = z.strictObject({
  repoURL: z
    .string()
    .min(1)
    .regex(chartURLPattern, { error: "expected a URL with http://, https:// or oci://" })
    .describe("Repository of the chart; with oci://, the chart itself."),
  name: z.string().optional().describe("Name of the chart; required for http and https, none for oci."),
  semverConstraint: z.string().optional().describe("Range that versions must lie in."),
  discoveryLimit,
  insecureSkipTLSVerify,
});
export type ChartSubscription = z.infer<typeof ChartSubscription>;

/** One repository that a Warehouse looks at: exactly one of git, image and chart. */
export const RepoSubscription = z.strictObject({
  name: z.string().optional().describe("Name of the subscription, unique in its Warehouse."),
  git: GitSubscription.optional().describe("A Git repository."),
  image: ImageSubscription.optional().describe("A repository of container images."),
  chart: ChartSubscription.optional().describe("A repository of Helm charts."),
});
export type RepoSubscription = z.infer<typeof RepoSubscription>;
