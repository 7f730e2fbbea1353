import { describe, expect, it } from "vitest";
import { checkStep } from "#cli/step.ts";
import { builtinSteps } from "#steps/index.ts";

describe("what is wrong with a step's configuration", () => {
  it.each([
    {
      about: "a value that is none of those there are",
      step: "kustomize-build",
      config: { path: ".", outPath: "out", outputFormat: "json" },
      problems: ['outputFormat: outputFormat must be one of the following: "kargo", "kustomize"'],
    },
    {
      about: "a pattern that is not met, with words of its own",
      step: "file-write",
      config: { path: "a", contents: "", permissions: "rw" },
      problems: [`permissions: Does not match pattern '^0[0-7]{3}$': must be an octal mode such as "0644"`],
    },
    {
      about: "a pattern with slashes",
      step: "http",
      config: { url: "https://example.com", proxy: "proxy" },
      problems: ["proxy: Does not match pattern '^https?://.*$': must begin with http:// or https://"],
    },
    {
      about: "a format",
      step: "git-commit",
      config: { path: ".", message: "m", author: { name: "A", email: "nobody" } },
      problems: ["author.email: Does not match format 'email'"],
    },
    {
      about: "fields that exclude one another, beside a field that is missing",
      step: "git-clone",
      config: { repoURL: "https://example.com/a.git", checkout: [{ branch: "b", tag: "t" }] },
      problems: [
        "checkout.0: path is required",
        "checkout.0: Must validate one and only one schema (oneOf): only one of branch, commit and tag can be set",
      ],
    },
    {
      about: "several levels at once",
      step: "argocd-update",
      config: { apps: [{ sources: [{ updateTargetRevision: true }] }] },
      problems: [
        "apps.0.sources.0: repoURL is required",
        "apps.0.sources.0: Must validate one and only one schema (oneOf): updateTargetRevision needs a desiredRevision",
        "apps.0: Must validate one and only one schema (oneOf): must have either name or selector",
      ],
    },
    {
      about: "a selector that selects nothing",
      step: "argocd-wait",
      config: { apps: [{ selector: { matchLabels: {}, matchExpressions: [] } }] },
      problems: [
        "apps.0.selector: Must validate at least one schema (anyOf): must have matchLabels or matchExpressions",
      ],
    },
    {
      about: "nothing to keep",
      step: "set-metadata",
      config: { updates: [{ kind: "Stage", name: "s", values: {} }] },
      problems: ["updates.0.values: Must have at least 1 properties"],
    },
    {
      about: "a value of the wrong type where fields exclude one another, told once",
      step: "delete",
      config: { path: 1 },
      problems: ["path: Invalid type. Expected: string, given: integer"],
    },
    {
      about: "an expression that may turn into what fits",
      step: "argocd-wait",
      config: { apps: [{ name: "a", waitFor: ["${{ vars.what }}"] }] },
      problems: [],
    },
  ])("tells of $about", ({ step, config, problems }) => {
    expect(checkStep({ step, config }, builtinSteps)).toEqual({ valid: problems.length === 0, problems });
  });
});
