import { describe, expect, it } from "vitest";
import type { GitProviderName } from "#core/git/providers/provider.ts";
import { commitUrl } from "#core/git/providers/providers.ts";

describe("the address of a commit", () => {
  it.each<[string, GitProviderName | undefined, string | undefined]>([
    ["https://github.com/Team/Repo.git", undefined, "https://github.com/team/repo/commit/abc"],
    ["git@github.com:team/repo.git", "github", "https://github.com/team/repo/commit/abc"],
    [
      "https://robot:pass@git.example.com/team/repo",
      "github",
      "https://git.example.com/team/repo/commit/abc",
    ],
    ["https://git.example.com/group/team/repo", "github", undefined],
    ["https://acme.ghe.com/team/repo", undefined, "https://acme.ghe.com/team/repo/commit/abc"],
    ["https://gitlab.com/group/team/repo", undefined, "https://gitlab.com/group/team/repo/-/commit/abc"],
    ["http://gitlab.local:8080/team/repo", undefined, "https://gitlab.local:8080/team/repo/-/commit/abc"],
    ["https://gitea.local/team/repo.git", undefined, "https://gitea.local/team/repo/commit/abc"],
    ["https://bitbucket.org/team/repo", undefined, "https://bitbucket.org/team/repo/commits/abc"],
    [
      "https://dev.azure.com/org/project/_git/repo",
      undefined,
      "https://dev.azure.com/org/project/_git/repo/commit/abc",
    ],
    ["https://git.example.com/team/repo", undefined, undefined],
    ["/srv/github/repo.git", undefined, undefined],
  ])("in %j at %j is %j", (repoURL, provider, url) => {
    expect(commitUrl(repoURL, "abc", provider)).toBe(url);
  });
});
