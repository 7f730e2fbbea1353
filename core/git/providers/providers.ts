import { StepFailure } from "#core/failure.ts";
import { azure } from "#core/git/providers/azure.ts";
import { bitbucket } from "#core/git/providers/bitbucket.ts";
import { gitea } from "#core/git/providers/gitea.ts";
import { github } from "#core/git/providers/github.ts";
import { gitlab } from "#core/git/providers/gitlab.ts";
import {
  type GitProvider,
  type GitProviderName,
  gitProviderNames,
  type ProviderRepository,
  readRepository,
} from "#core/git/providers/provider.ts";

export const gitProviders: readonly GitProvider[] = [azure, bitbucket, gitea, github, gitlab];

/** The provider of that name, or the one that the repository's host tells by its own. */
export function findProvider(repoURL: string, name: GitProviderName | undefined): GitProvider | undefined {
  if (name !== undefined) return gitProviders.find((provider) => provider.name === name);
  const host = readRepository(repoURL)?.host.replace(/:\d+$/, "");
  return host === undefined ? undefined : gitProviders.find((provider) => provider.matches(host));
}

/** The provider and what it is told of the repository. */
export function getProvider(
  repoURL: string,
  name: GitProviderName | undefined,
): { provider: GitProvider; repository: ProviderRepository } {
  const provider = findProvider(repoURL, name);
  const repository = readRepository(repoURL);
  if (provider !== undefined && repository !== undefined) return { provider, repository };
  throw new StepFailure(
    "errored",
    `Cannot tell what hosts "${repoURL}": set "provider" to one of ${gitProviderNames.join(", ")}`,
  );
}

/** Where people can look at a commit; undefined when that is not known. */
export function commitUrl(
  repoURL: string,
  commit: string,
  name: GitProviderName | undefined,
): string | undefined {
  const repository = readRepository(repoURL);
  return repository === undefined ? undefined : findProvider(repoURL, name)?.commitUrl(repository, commit);
}
