import { describe, expect, it } from "vitest";
import { globToRegex } from "#core/artifacts/glob.ts";
import { parseNamePattern, parsePathPattern } from "#core/artifacts/patterns.ts";

const words = (list: string) => list.split(" ").filter((word) => word !== "");

describe("a path pattern", () => {
  it.each([
    {
      pattern: "apps/web",
      means: "apps/web apps/web/a.yaml apps/web/x/y",
      not: "apps/webshop apps x/apps/web",
    },
    { pattern: "apps/web/", means: "apps/web/a.yaml", not: "apps" },
    { pattern: "./apps", means: "apps/a", not: "app" },
    { pattern: "apps/web", means: "", not: "apps/web/../api/a ../apps/web/a" },
    { pattern: "", means: "a a/b", not: "../a" },
    { pattern: "a..b", means: "a..b/c", not: "a" },
    { pattern: "glob:*.yaml", means: "a.yaml .yaml", not: "x/a.yaml a.yml" },
    { pattern: "glob:**/*.yaml", means: "a.yaml x/a.yaml x/y/a.yaml", not: "a.yml" },
    { pattern: "glob:env/*/app.yaml", means: "env/prod/app.yaml", not: "env/a/b/app.yaml env/app.yaml" },
    { pattern: "glob:env/**/app.yaml", means: "env/app.yaml env/a/b/app.yaml", not: "x/env/app.yaml" },
    { pattern: "glob:env/**", means: "env env/a env/a/b", not: "environment" },
    { pattern: "glob:*.{yaml,yml}", means: "a.yaml a.yml", not: "a.json" },
    { pattern: "glob:v[0-9]/?", means: "v1/a", not: "vx/a v1/ab" },
    { pattern: "glob:[!a]b", means: "cb", not: "ab" },
    { pattern: "glob:\\*", means: "*", not: "a" },
    { pattern: "glob:a**b", means: "ab axxb", not: "a/b" },
    { pattern: "regex:^src/.*\\.go$", means: "src/a.go src/x/b.go", not: "src/a.ts x/src/a.go" },
    { pattern: "regexp:web", means: "a/website", not: "api" },
  ])("$pattern means $means and not $not", ({ pattern, means, not }) => {
    const matches = parsePathPattern(pattern, "includePaths");
    for (const path of words(means)) expect([path, matches(path)]).toEqual([path, true]);
    for (const path of words(not)) expect([path, matches(path)]).toEqual([path, false]);
  });

  it.each(["glob:[", "glob:{a", "glob:a}", "glob:\\", "glob:[]", "glob:[a-]", "regex:(", "regex:(?=a)"])(
    "%s is refused with the field's name",
    (pattern) => {
      expect(() => parsePathPattern(pattern, "includePaths")).toThrow("Cannot read includePaths");
    },
  );

  it("does not grow without bound from braces in braces", () => {
    expect(globToRegex("{a,b}".repeat(20))).toBeUndefined();
  });
});

describe("a name pattern", () => {
  it.each([
    { pattern: "prod", means: "prod", not: "production" },
    { pattern: "glob:prod-*", means: "prod-eu", not: "prod" },
    { pattern: "regex:^(test|uat)$", means: "test uat", not: "tests" },
  ])("$pattern means $means and not $not", ({ pattern, means, not }) => {
    const matches = parseNamePattern(pattern, "stage");
    expect(words(means).every(matches)).toBe(true);
    expect(words(not).some(matches)).toBe(false);
  });
});
