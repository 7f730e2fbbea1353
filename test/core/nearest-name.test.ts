import { describe, expect, it } from "vitest";
import { didYouMean, nearestName } from "#core/nearest-name.ts";

describe("the nearest name", () => {
  const names = ["git-clone", "git-commit", "helm-template", "copy"];
  it.each([
    ["git-clon", "git-clone"],
    ["gti-clone", "git-clone"],
    ["helm-templat", "helm-template"],
    ["Copy", "copy"],
    ["cpoy", "copy"],
    ["terraform", undefined],
    ["x", undefined],
    ["", undefined],
  ])("of %j is %j", (name, nearest) => {
    expect(nearestName(name, names)).toBe(nearest);
  });

  it("is offered as the end of a sentence, or not at all", () => {
    expect(didYouMean("coppy", names)).toBe(', did you mean "copy"?');
    expect(didYouMean("zebra", names)).toBe("");
  });
});
