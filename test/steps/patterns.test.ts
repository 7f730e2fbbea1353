import { describe, expect, it } from "vitest";
import { readGlob } from "#steps/lib/glob.ts";
import { ignoreRules } from "#steps/lib/ignore-rules.ts";

describe("globs", () => {
  it.each([
    ["*", ["a", ".a", "a b"], ["a/b", ""]],
    ["*.txt", ["a.txt", ".txt"], ["a/b.txt", "a.TXT"]],
    ["**", ["", "a", "a/b/.c"], []],
    ["**/*.txt", ["a.txt", "b/a.txt", "b/c/.a.txt"], ["a.md"]],
    ["a/**", ["a", "a/b", "a/b/c"], ["ab", "b/a"]],
    ["a/**/b", ["a/b", "a/x/b", "a/x/y/b"], ["ab", "a/bc"]],
    ["a*/b", ["a/b", "ax/b"], ["a/x/b"]],
    ["**.txt", ["a.txt"], ["b/a.txt"]],
    ["?.txt", ["a.txt", "é.txt"], [".txt", "ab.txt", "/.txt"]],
    ["[ab]", ["a", "b"], ["c", "ab"]],
    ["[!a]", ["b", "!"], ["a", "/"]],
    ["[^a-c]", ["d"], ["b", "/"]],
    ["[[]a", ["[a"], ["a"]],
    ["a\\[1\\]", ["a[1]"], ["a1"]],
    ["{a,b/c}.*", ["a.x", "b/c.y"], ["c.x"]],
    ["{**/b,a}", ["b", "x/y/b", "a"], ["x/a"]],
    ["x{y}", ["xy"], ["x{y}"]],
    ["a.b", ["a.b"], ["axb"]],
    ["+(a)", ["+(a)"], ["a"]],
  ])("%s fits %j and not %j", (pattern, fits, others) => {
    const { matches } = readGlob(pattern);
    expect(fits.filter((path) => !matches(path))).toEqual([]);
    expect(others.filter(matches)).toEqual([]);
  });

  it.each(["[", "[]", "a[b", "{", "{a", "[z-a]"])("%s cannot be read", (pattern) => {
    expect(() => readGlob(pattern)).toThrow();
  });

  it.each([
    ["a/b/*.txt", "a/b", false],
    ["*.txt", "", false],
    ["a/b", "a/b", false],
    ["a/**/", "a", true],
  ])("%s is looked for in %j", (pattern, base, foldersOnly) => {
    expect(readGlob(pattern)).toMatchObject({ base, foldersOnly });
  });
});

describe("ignore rules", () => {
  it.each([
    ["*.txt", ["a.txt", "b/a.txt"], ["a.md"]],
    ["docs/", ["docs/", "a/docs/", "docs/a"], ["docs"]],
    ["/a", ["a", "a/b"], ["b/a"]],
    ["a/b", ["a/b", "a/b/c"], ["x/a/b"]],
    ["**/x", ["x", "a/b/x"], ["xy"]],
    ["a/**/b", ["a/b", "a/c/d/b"], ["b"]],
    ["*\n!keep", ["a"], ["keep", "keep/a"]],
    ["[a-c].x", ["b.x"], ["d.x"]],
    ["[^a].x", ["b.x"], ["a.x"]],
    ["\\#a", ["#a"], ["a"]],
    ["# a", [], ["# a", "a"]],
    ["a ", ["a"], ["a "]],
    ["[a", [], ["[a", "a"]],
    ["*.{a,b}", ["x.{a,b}"], ["x.a"]],
    ["", [".git/", ".git", "a/.git/"], ["a"]],
    ["!.git/", [".git"], [".git/", ".git/config"]],
  ])("%j leaves out %j and not %j", (text, ignored, kept) => {
    const ignores = ignoreRules(text);
    expect(ignored.filter((path) => !ignores(path))).toEqual([]);
    expect(kept.filter(ignores)).toEqual([]);
  });
});

it("patterns cost no more than the name's length, however they are made", () => {
  const name = "a".repeat(250);
  const pattern = `${"*a".repeat(60)}b`;
  expect(readGlob(pattern).matches(name)).toBe(false);
  expect(ignoreRules(pattern)(name)).toBe(false);
});
