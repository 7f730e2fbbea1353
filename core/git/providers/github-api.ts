import type { ApiAnswer, ApiClient, ApiRequest } from "#core/git/providers/api-client.ts";
import { ownerAndName, type ProviderRepository } from "#core/git/providers/provider.ts";

/** Asks GitHub about one repository; `path` follows `/repos/<owner>/<name>`. */
export type GithubApi = (path: string, request?: ApiRequest) => Promise<ApiAnswer>;

export function githubApi(repository: ProviderRepository, api: ApiClient): GithubApi {
  const [owner, name] = ownerAndName(repository).map(encodeURIComponent);
  const { scheme, host } = repository;
  const base = host === "github.com" ? "https://api.github.com" : `${scheme}://${host}/api/v3`;
  const headers: Record<string, string> =
    api.token === undefined ? {} : { Authorization: `Bearer ${api.token}` };
  return (path, request) => api.ask(`${base}/repos/${owner}/${name}${path}`, headers, request);
}
