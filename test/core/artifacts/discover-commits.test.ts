import { describe, expect, it } from "vitest";
import { type Before, discoverCommits } from "#core/artifacts/discover-commits.ts";
import { createDiscoveryParts } from "#core/artifacts/discovery-parts.ts";
import { createGit } from "#core/git/git.ts";
import { GitSubscription } from "#core/resources/warehouse.ts";
import type { Exec } from "#core/step.ts";
import { bareRepository, commitTo, git } from "#test/support/git-fixture.ts";
import { fakeContext } from "#test/support/step-context.ts";

/** Looks at a repository again and again, and keeps what git was called for. */
function watching(repository: string, fields: Record<string, unknown> = {}) {
  const calls: string[] = [];
  const ctx = fakeContext();
  const exec: Exec = (program, args, options) => {
    calls.push(String(args[0]));
    return ctx.exec(program, args, options);
  };
  const deps = {
    ...createDiscoveryParts({ fetch: ctx.fetch }),
    git: createGit({ ...ctx, exec }),
    credentials: ctx.credentials,
    matches: async () => true,
    signal: undefined,
  };
  const subscription = GitSubscription.parse({ repoURL: `file://${repository}`, branch: "main", ...fields });
  let previous: Before["previous"];
  return async (newsIsLikely: boolean) => {
    calls.length = 0;
    const found = await discoverCommits(subscription, undefined, deps, { key: "", previous, newsIsLikely });
    if (found.kind !== "git") throw new Error("not of git");
    previous = found.result;
    return {
      calls: [...calls],
      commits: found.result.commits.map(({ id }) => id),
      unchanged: found.unchanged,
    };
  };
}

describe("looking for commits", () => {
  it("lists refs first when nothing is known of news, and fetches at once when there is said to be some", async () => {
    const repository = bareRepository([{ a: "1" }]);
    const look = watching(repository);
    await look(false);
    expect(await look(false)).toMatchObject({ calls: ["ls-remote"], unchanged: true });

    commitTo(repository, "main", { a: "2" });
    const [newest, oldest] = git(repository, "log", "--format=%H", "main").split("\n");
    expect(await look(true)).toEqual({
      calls: ["fetch", "log"],
      commits: [newest, oldest],
      unchanged: false,
    });
    expect(await look(false)).toMatchObject({ calls: ["ls-remote"], unchanged: true });
  });

  it.each([
    { fields: { since: "2000-01-01T00:00:00Z" } },
    { fields: { branch: undefined } },
    { fields: { commitSelectionStrategy: "Lexical" } },
  ])(
    "lists refs first where the listed commits do not tell what the refs are: $fields",
    async ({ fields }) => {
      const look = watching(bareRepository([{ a: "1" }]), fields);
      await look(false);
      expect(await look(true)).toMatchObject({ calls: ["ls-remote"], unchanged: true });
    },
  );

  it("says that a branch is gone, whoever asks", async () => {
    const repository = bareRepository([{ a: "1" }]);
    const look = watching(repository);
    await look(false);
    git(repository, "update-ref", "-d", "refs/heads/main");
    for (const newsIsLikely of [true, false]) {
      await expect(look(newsIsLikely)).rejects.toThrow('branch "main"');
    }
  });
});
