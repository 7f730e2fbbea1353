import { mkdirSync, readdirSync, rmSync, utimesSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { createGit } from "#core/git/git.ts";
import { openHistory, openSource } from "#core/git/history.ts";
import { cacheKey, pruneMirrors } from "#core/git/mirror.ts";
import { bareRepository } from "#test/support/git-fixture.ts";
import { fakeContext, temporaryFolder } from "#test/support/step-context.ts";

const day = 86_400_000;

describe("the cache of repositories", () => {
  it("forgets what nobody used for long, and what crashes left", async () => {
    const cache = temporaryFolder();
    const git = createGit(fakeContext({ cacheFolder: async () => cache }));
    const now = new Date();
    const open = async (repository: string) => openHistory(git, await openSource(git, repository, {}));
    await open(bareRepository([{ a: "" }]));
    const [unused = ""] = readdirSync(cache);
    utimesSync(path.join(cache, unused), now, new Date(now.getTime() - 31 * day));
    mkdirSync(path.join(cache, "half-made.new-1234"));
    utimesSync(path.join(cache, "half-made.new-1234"), now, new Date(now.getTime() - 2 * day));
    await open(bareRepository([{ a: "" }]));

    await pruneMirrors(git, 30, now);
    const left = readdirSync(cache);
    expect(left).toHaveLength(1);
    expect(left).not.toContain(unused);
  });

  it("is made again when it is damaged", async () => {
    const cache = temporaryFolder();
    const git = createGit(fakeContext({ cacheFolder: async () => cache }));
    const source = await openSource(git, bareRepository([{ a: "" }]), {});
    await openHistory(git, source);
    rmSync(path.join(cache, cacheKey(source.remote), "HEAD"));
    expect(await (await openHistory(git, source)).commits({ branch: "main" })).toHaveLength(1);
  });

  it("keeps repositories apart that differ in the case of their path alone", () => {
    const key = (url: string) => cacheKey({ url, protocol: "https", origin: "https://x.example" });
    expect(key("https://x.example/A/b")).not.toBe(key("https://x.example/a/b"));
    expect(key("https://x.example/a/b/")).toBe(key("https://x.example/a/b"));
    expect(key("https://x.example/..")).toMatch(/^[\w.-]+$/);
  });
});
