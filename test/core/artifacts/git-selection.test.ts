import { beforeAll, describe, expect, it } from "vitest";
import type { z } from "zod";
import { expressionFilter } from "#core/artifacts/expression-filter.ts";
import { couldTakeRef, isSameObservation, observe, selectCommits } from "#core/artifacts/git-selection.ts";
import { createExpressions } from "#core/expressions/expressions.ts";
import { createGit } from "#core/git/git.ts";
import { lsRemote, openHistory, openSource } from "#core/git/history.ts";
import { GitSubscription } from "#core/resources/warehouse.ts";
import { addPlanned, plannedRepository } from "#test/support/git-history.ts";
import { fakeContext } from "#test/support/step-context.ts";

type Fields = Partial<z.input<typeof GitSubscription>>;

const subscribe = (fields: Fields) =>
  GitSubscription.parse({ repoURL: "https://git.example.com/shop", ...fields });

let repository: string;
let matches: ReturnType<typeof expressionFilter>;

beforeAll(async () => {
  matches = expressionFilter(await createExpressions());
  repository = plannedRepository([
    {
      subject: "Begin",
      at: "2029-05-01T10:00:00Z",
      files: { "apps/web/a.yaml": "1" },
      tags: ["v1.0.0", "nightly-20290501"],
    },
    {
      subject: "Grow",
      at: "2029-06-01T10:00:00Z",
      files: { "apps/api/a.yaml": "1" },
      tags: ["v1.1.0", "1.5"],
    },
    {
      subject: "Bump [skip]",
      at: "2030-02-01T23:30:00-05:00",
      author: "Bot <bot@example.com>",
      files: { "docs/a.md": "1" },
      tags: ["v1.10.0", "nightly-20300201"],
      annotated: { "v2.0.0-rc.1": "Candidate\n\nMore about it" },
    },
    {
      subject: "Finish",
      at: "2030-03-01T10:00:00Z",
      files: { "apps/web/a.yaml": "2", "docs/b.md": "1" },
      annotated: { "v1.2.0": "Patch release" },
    },
  ]);
  addPlanned(repository, [{ subject: "Elsewhere", at: "2030-04-01T10:00:00Z" }], "next");
});

async function open() {
  const git = createGit(fakeContext());
  const source = await openSource(git, repository, {});
  return { git, source };
}

async function select(fields: Fields) {
  const { git, source } = await open();
  return selectCommits(subscribe(fields), await openHistory(git, source), matches);
}

const finish = "Finish";

describe("commits of a branch", () => {
  it.each<{ fields: Fields; chooses: string[] }>([
    { fields: {}, chooses: [finish, "Bump [skip]", "Grow", "Begin"] },
    { fields: { branch: "main", discoveryLimit: 1 }, chooses: [finish] },
    { fields: { branch: "next" }, chooses: ["Elsewhere"] },
    { fields: { since: "2030-01-01T00:00:00Z" }, chooses: [finish, "Bump [skip]"] },
    { fields: { includePaths: ["apps/web"] }, chooses: [finish, "Begin"] },
    { fields: { excludePaths: ["docs"] }, chooses: [finish, "Grow", "Begin"] },
    { fields: { includePaths: ["apps"], excludePaths: ["glob:apps/web/**"] }, chooses: ["Grow"] },
    { fields: { includePaths: ["regex:\\.md$"], discoveryLimit: 1 }, chooses: [finish] },
    { fields: { expressionFilter: "!(author contains '<bot@')" }, chooses: [finish, "Grow", "Begin"] },
    { fields: { expressionFilter: "subject contains '[skip]'" }, chooses: ["Bump [skip]"] },
    { fields: { expressionFilter: "'true'", discoveryLimit: 1 }, chooses: [finish] },
    { fields: { expressionFilter: "commitDate.Year() == 2029" }, chooses: ["Grow", "Begin"] },
    {
      fields: { expressionFilter: "commitDate.After(date('2030-01-01')) && commitDate.Day() == 1" },
      chooses: [finish, "Bump [skip]"],
    },
  ])("$fields: $chooses", async ({ fields, chooses }) => {
    const { chosen } = await select(fields);
    expect(chosen.map(({ subject }) => subject)).toEqual(chooses);
  });

  it("carry what status and freight tell of them", async () => {
    const { chosen } = await select({ branch: "main", includePaths: ["docs/a.md"] });
    expect(chosen).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f]{40}$/),
        branch: "main",
        subject: "Bump [skip]",
        author: "Bot <bot@example.com>",
        committer: "Ann <ann@example.com>",
        creatorDate: "2030-02-02T04:30:00Z",
      },
    ]);
  });

  it("say why they are left out", async () => {
    const { leftOut } = await select({ includePaths: ["apps/web"], expressionFilter: "subject != 'Grow'" });
    expect(leftOut.map(({ reason }) => reason)).toEqual([
      "changes nothing that includePaths and excludePaths let count",
      "does not satisfy expressionFilter",
    ]);
  });

  it.each<{ fields: Fields; says: string }>([
    { fields: { expressionFilter: "1 +" }, says: "Cannot evaluate expressionFilter" },
    { fields: { expressionFilter: "'maybe'" }, says: "neither true nor false" },
    { fields: { includePaths: ["regex:("] }, says: "Cannot read includePaths" },
    { fields: { branch: "gone" }, says: 'branch "gone"' },
  ])("$fields fails: $says", async ({ fields, says }) => {
    await expect(select(fields)).rejects.toThrow(says);
  });

  it("are read in batches without end until enough are found", async () => {
    const long = plannedRepository(
      Array.from({ length: 60 }, (_, at) => ({
        subject: `Commit ${at}`,
        files: { [at < 2 ? "wanted" : "other"]: `${at}` },
      })),
    );
    const git = createGit(fakeContext());
    const history = await openHistory(git, await openSource(git, long, {}));
    const wanted = subscribe({ includePaths: ["wanted"], discoveryLimit: 2 });
    const { chosen } = await selectCommits(wanted, history, matches);
    expect(chosen.map(({ subject }) => subject)).toEqual(["Commit 1", "Commit 0"]);
  });
});

describe("commits by their tags", () => {
  it.each<{ fields: Fields; chooses: string }>([
    {
      fields: { commitSelectionStrategy: "SemVer" },
      chooses: "v2.0.0-rc.1 v1.10.0 v1.2.0 v1.1.0 v1.0.0",
    },
    {
      fields: { commitSelectionStrategy: "SemVer", strictSemvers: false, semverConstraint: "^1.0.0" },
      chooses: "v1.10.0 1.5 v1.2.0 v1.1.0 v1.0.0",
    },
    { fields: { commitSelectionStrategy: "SemVer", semverConstraint: "~1.1" }, chooses: "v1.1.0" },
    {
      fields: { commitSelectionStrategy: "SemVer", includePaths: ["apps/web"], discoveryLimit: 1 },
      chooses: "v1.2.0",
    },
    {
      fields: { commitSelectionStrategy: "Lexical", allowTagsRegexes: ["^nightly-\\d{8}$"] },
      chooses: "nightly-20300201 nightly-20290501",
    },
    {
      fields: { commitSelectionStrategy: "NewestTag", ignoreTagsRegexes: ["^nightly", "^1", "-rc"] },
      chooses: "v1.2.0 v1.10.0 v1.1.0 v1.0.0",
    },
    {
      fields: {
        commitSelectionStrategy: "NewestTag",
        expressionFilter: "creatorDate.Year() < 2030",
        allowTags: "^v",
      },
      chooses: "v1.1.0 v1.0.0",
    },
    {
      fields: { commitSelectionStrategy: "SemVer", expressionFilter: "tagger contains 'Ann'" },
      chooses: "v2.0.0-rc.1 v1.2.0",
    },
    {
      fields: {
        commitSelectionStrategy: "SemVer",
        expressionFilter: "annotation == 'Candidate' || id == ''",
      },
      chooses: "v2.0.0-rc.1",
    },
    { fields: { commitSelectionStrategy: "SemVer", semverConstraint: "^9" }, chooses: "" },
  ])("$fields: $chooses", async ({ fields, chooses }) => {
    const { chosen } = await select(fields);
    expect(chosen.map(({ tag }) => tag).join(" ")).toBe(chooses);
  });

  it("carry the tag, the commit behind it and the time of the tag", async () => {
    const [best] = (await select({ commitSelectionStrategy: "SemVer", semverConstraint: "1.2.0" })).chosen;
    expect(best).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{40}$/),
      tag: "v1.2.0",
      subject: finish,
      author: "Ann <ann@example.com>",
      committer: "Ann <ann@example.com>",
      creatorDate: "2030-03-01T10:00:00Z",
    });
  });
});

describe("what the remote's refs come to", () => {
  const observeNow = async (fields: Fields) => {
    const { git, source } = await open();
    return observe(subscribe(fields), await lsRemote(git, source));
  };

  it("is a branch's head, or the tags that the rules let pass, in the order of their names", async () => {
    expect(await observeNow({ branch: "next" })).toEqual({ branchHead: expect.any(String) });
    expect(await observeNow({ branch: "gone" })).toBeUndefined();
    const tags = (await observeNow({ commitSelectionStrategy: "SemVer", semverConstraint: "^1.1" }))?.tags;
    expect(tags?.map(({ name }) => name)).toEqual(["v1.1.0", "v1.10.0", "v1.2.0"]);
  });

  it("is the same only for the same refs, and never for none", () => {
    const tag = { name: "v1", id: "a" };
    expect(isSameObservation({ branchHead: "a" }, { branchHead: "a" })).toBe(true);
    expect(isSameObservation({ branchHead: "a" }, { branchHead: "b" })).toBe(false);
    expect(isSameObservation({ tags: [tag] }, { tags: [tag] })).toBe(true);
    expect(isSameObservation({ tags: [tag] }, { tags: [{ ...tag, id: "b" }] })).toBe(false);
    expect(isSameObservation({ tags: [tag] }, { tags: [] })).toBe(false);
    expect(isSameObservation(undefined, undefined)).toBe(false);
  });
});

describe("whether a subscription could take a ref", () => {
  it.each<{ fields: Fields; ref: string; takes: boolean }>([
    { fields: {}, ref: "refs/heads/main", takes: true },
    { fields: {}, ref: "refs/heads/master", takes: true },
    { fields: {}, ref: "refs/heads/dev", takes: false },
    { fields: { branch: "dev" }, ref: "refs/heads/dev", takes: true },
    { fields: { branch: "dev" }, ref: "refs/tags/dev", takes: false },
    { fields: { commitSelectionStrategy: "SemVer" }, ref: "refs/tags/v1.0.0", takes: true },
    { fields: { commitSelectionStrategy: "SemVer" }, ref: "refs/tags/latest", takes: false },
    { fields: { commitSelectionStrategy: "Lexical", ignoreTags: ["x"] }, ref: "refs/tags/x", takes: false },
  ])("$fields takes $ref: $takes", ({ fields, ref, takes }) => {
    expect(couldTakeRef(subscribe(fields), ref)).toBe(takes);
  });
});
