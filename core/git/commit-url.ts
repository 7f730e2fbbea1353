import { normalizeGitUrl } from "#core/git/git-url.ts";

export const gitProviderNames = ["azure", "bitbucket", "gitea", "github", "gitlab"] as const;
export type GitProviderName = (typeof gitProviderNames)[number];

/** The provider that a repository's host tells by its name; undefined when it does not. */
export function providerOf(repoURL: string): GitProviderName | undefined {
  const host = hostOf(repoURL);
  if (host === undefined) return undefined;
  if (host.includes("github") || host.endsWith(".ghe.com")) return "github";
  if (host.includes("gitlab")) return "gitlab";
  if (host.includes("gitea")) return "gitea";
  if (host === "bitbucket.org") return "bitbucket";
  if (host === "dev.azure.com" || host.endsWith("visualstudio.com")) return "azure";
  return undefined;
}

/** Where people can look at a commit; undefined when that is not known. */
export function commitUrl(
  repoURL: string,
  commit: string,
  provider: GitProviderName | undefined = providerOf(repoURL),
): string | undefined {
  const match = /^[a-z]+:\/\/(?:[^@/]*@)?([^/]+)(\/.*)?$/.exec(normalizeGitUrl(repoURL));
  if (match === null || provider === undefined) return undefined;
  const [, host, path = ""] = match;
  switch (provider) {
    case "github":
      return path.split("/").length === 3 ? `https://${host}${path}/commit/${commit}` : undefined;
    case "gitea":
      return path.split("/").length === 3 ? `https://${host}${path}/commit/${commit}` : undefined;
    case "gitlab":
      return `https://${host}${path}/-/commit/${commit}`;
    case "bitbucket":
      return `https://${host}${path}/commits/${commit}`;
    case "azure":
      return `https://dev.azure.com${path.replace(/^\/v3/, "")}/commit/${commit}`;
    default:
      return provider satisfies never;
  }
}

function hostOf(repoURL: string): string | undefined {
  return /^[a-z]+:\/\/(?:[^@/]*@)?([^/:]+)/i.exec(repoURL)?.[1]?.toLowerCase();
}
