import { describe, expect, it } from "vitest";
import { createGit } from "#core/git/git.ts";
import { lsRemote, openHistory, openSource } from "#core/git/history.ts";
import { bareRepository, commitTo, git } from "#test/support/git-fixture.ts";
import { fakeContext } from "#test/support/step-context.ts";

async function opened(repository: string) {
  const runner = createGit(fakeContext());
  const source = await openSource(runner, repository, {});
  return { runner, source, history: await openHistory(runner, source) };
}

describe("the history of a repository", () => {
  it("lists a branch's commits, newest first, with limit, skip and since", async () => {
    const repository = bareRepository([{ a: "1" }, { a: "2" }, { a: "3" }]);
    const { history } = await opened(repository);
    const ids = git(repository, "log", "--format=%H", "main").split("\n");

    const commits = await history.commits({ branch: "main" });
    expect(commits.map(({ id }) => id)).toEqual(ids);
    expect(commits[0]).toEqual({
      id: ids[0],
      committedAt: git(repository, "log", "-1", "--format=%cI", "main"),
      author: "Ann <ann@example.com>",
      committer: "Ann <ann@example.com>",
      subject: "Commit 3",
    });
    expect((await history.commits({ limit: 1, skip: 1 })).map(({ id }) => id)).toEqual([ids[1]]);
    expect(await history.commits({ since: "2050-01-01T00:00:00Z" })).toEqual([]);
    await expect(history.commits({ branch: "nope" })).rejects.toThrow(/branch "nope"/);
    await expect(history.commits({ branch: "--output=x" })).rejects.toMatchObject({ kind: "refused" });
  });

  it("tells annotated from lightweight tags and leaves out what is no commit", async () => {
    const repository = bareRepository([{ a: "1" }]);
    const commit = git(repository, "rev-parse", "main");
    git(repository, "tag", "light");
    git(repository, "tag", "-a", "-m", "First line\n\nMore", "noted");
    git(repository, "tag", "-a", "-m", "Odd |*| line", "group/odd");
    git(repository, "tag", "tree", "main^{tree}");
    const { history } = await opened(repository);

    const tags = Object.fromEntries((await history.tags()).map((tag) => [tag.tag, tag]));
    const person = "Ann <ann@example.com>";
    const common = { commitId: commit, author: person, committer: person, subject: "Commit 1" };
    expect(Object.keys(tags).sort()).toEqual(["group/odd", "light", "noted"]);
    expect(tags.light).toMatchObject({ ...common, tagger: "", annotation: "" });
    expect(tags.noted).toMatchObject({ ...common, tagger: person, annotation: "First line" });
    expect(tags["group/odd"]).toMatchObject({ annotation: "Odd |*| line" });
    expect(tags.light?.createdAt).toBe(git(repository, "log", "-1", "--format=%cI", "main"));
  });

  it("lists what many commits changed, each as by itself, merges and odd names too", async () => {
    const repository = bareRepository([{ "dir/one": "1", "naïve\nfile": "" }, { two: "2" }, {}]);
    git(repository, "branch", "side", "main~2");
    commitTo(repository, "side", { "from side": "3" });
    const merge = git(
      repository,
      "-c",
      "user.name=a",
      "-c",
      "user.email=a@b",
      "commit-tree",
      git(repository, "merge-tree", "--write-tree", "main", "side"),
      ...["-p", "main", "-p", "side", "-m", "Merge"],
    );
    git(repository, "update-ref", "refs/heads/main", merge);
    const { history } = await opened(repository);
    const ids = git(repository, "rev-list", "main").split("\n");
    const changes = await history.changes(ids);
    expect([...changes.keys()].sort()).toEqual([...ids].sort());
    for (const id of ids) {
      expect(changes.get(id)?.sort()).toEqual((await history.changedPaths(id)).sort());
    }
    expect(changes.get(merge)).toEqual(["from side"]);
    await expect(history.changes(["--output=x"])).rejects.toMatchObject({ kind: "refused" });
  });

  it("lists what a commit changed, both names of a file that moved, odd names as they are", async () => {
    const repository = bareRepository([{ "dir/one": "same text", "naïve file\t.txt": "" }]);
    const { history } = await opened(repository);
    const first = git(repository, "rev-parse", "main");
    expect((await history.changedPaths(first)).sort()).toEqual(["dir/one", "naïve file\t.txt"]);
    await expect(history.changedPaths("--output=/tmp/x")).rejects.toMatchObject({ kind: "refused" });
    expect(await history.message(first)).toBe("Commit 1");
  });

  it("sees what is new when it is opened again, and forgets what is gone", async () => {
    const repository = bareRepository([{ a: "1" }]);
    git(repository, "tag", "v1");
    const { runner, source, history } = await opened(repository);
    expect(await history.tags()).toHaveLength(1);

    const newer = commitTo(repository, "main", { a: "2" });
    git(repository, "tag", "-d", "v1");
    git(repository, "tag", "-f", "v2", newer);
    const later = await openHistory(runner, source);
    expect((await later.commits({}))[0]?.id).toBe(newer);
    expect((await later.tags()).map(({ tag }) => tag)).toEqual(["v2"]);
  });

  it("lists refs without fetching", async () => {
    const repository = bareRepository([{ a: "1" }]);
    const commit = git(repository, "rev-parse", "main");
    git(repository, "tag", "-a", "-m", "x", "v1");
    const tag = git(repository, "rev-parse", "v1");
    const runner = createGit(fakeContext());
    const source = await openSource(runner, repository, {});
    expect(await lsRemote(runner, source)).toEqual([
      { name: "HEAD", id: commit },
      { name: "refs/heads/main", id: commit },
      { name: "refs/tags/v1", id: tag },
    ]);
    expect(await lsRemote(runner, source, ["refs/tags/*"])).toEqual([{ name: "refs/tags/v1", id: tag }]);
  });
});
