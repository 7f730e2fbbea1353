import { z } from "zod";
import { StepFailure } from "#core/failure.ts";
import { createApiClient } from "#core/git/providers/api-client.ts";
import { type GitProviderName, gitProviderNames, type PullRequests } from "#core/git/providers/provider.ts";
import { getProvider } from "#core/git/providers/providers.ts";
import { parseDuration } from "#core/resources/duration.ts";
import type { StepContext } from "#core/step.ts";

/** What every step about pull requests is told of the repository. */
export const repositoryFields = {
  repoURL: z
    .string()
    .min(1)
    .regex(/^[a-z][a-z0-9+.-]*:\S/i, "must be a URL")
    .describe("URL of the repository."),
  provider: z
    .enum(gitProviderNames)
    .optional()
    .describe("What the repository is hosted by, where its URL does not tell."),
  insecureSkipTLSVerify: z
    .boolean()
    .default(false)
    .describe("Whether the server's certificate goes unchecked."),
};

export const pollIntervalField = z
  .string()
  .regex(/(?:\d+(ns|us|µs|ms|s|m|h))+/)
  .optional();

export const prNumberField = z.int().min(1).describe("Number of the pull request.");

/** The pull requests of a repository, asked for with the credentials of the repository. */
export async function pullRequestsOf(
  ctx: StepContext,
  config: { repoURL: string; provider?: GitProviderName | undefined; insecureSkipTLSVerify: boolean },
): Promise<PullRequests> {
  const { provider, repository } = getProvider(config.repoURL, config.provider);
  const credentials = await ctx.credentials.find("git", config.repoURL);
  const api = createApiClient(ctx.fetch, credentials?.password || undefined, config.insecureSkipTLSVerify);
  return provider.connect(repository, api);
}

/** The configured pause in seconds. */
export function pollSeconds(interval: string | undefined, defaultSeconds: number): number {
  if (interval === undefined) return defaultSeconds;
  const milliseconds = parseDuration(interval);
  if (milliseconds !== undefined) return milliseconds / 1_000;
  throw new StepFailure("errored", `Cannot use pollInterval "${interval}": write it as 30s, 2m or 1h30m`);
}
