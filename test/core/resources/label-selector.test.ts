import { describe, expect, it } from "vitest";
import { type LabelSelector, matchesLabels } from "#core/resources/label-selector.ts";

const requirement = (key: string, operator: string, values?: string[]) =>
  ({ matchExpressions: [{ key, operator, ...(values ? { values } : {}) }] }) as LabelSelector;

describe("a label selector", () => {
  const labels = { tier: "web", region: "eu" };
  it.each<[string, LabelSelector, boolean]>([
    ["that is empty matches", {}, true],
    ["by equal labels", { matchLabels: { tier: "web", region: "eu" } }, true],
    ["by other labels", { matchLabels: { tier: "db" } }, false],
    ["In with the value", requirement("tier", "In", ["db", "web"]), true],
    ["In without it", requirement("tier", "In", ["db"]), false],
    ["In for a label that is missing", requirement("zone", "In", ["a"]), false],
    ["NotIn with the value", requirement("tier", "NotIn", ["web"]), false],
    ["NotIn for a label that is missing", requirement("zone", "NotIn", ["a"]), true],
    ["Exists", requirement("tier", "Exists"), true],
    ["Exists for what every object has", requirement("toString", "Exists"), false],
    ["DoesNotExist", requirement("tier", "DoesNotExist"), false],
    [
      "of which only a part holds",
      { matchLabels: { tier: "web" }, ...requirement("region", "In", ["us"]) },
      false,
    ],
  ])("%s: %#", (_, selector, matches) => {
    expect(matchesLabels(selector, labels)).toBe(matches);
  });
});
