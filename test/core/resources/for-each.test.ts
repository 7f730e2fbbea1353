import { describe, expect, it } from "vitest";
import { checkResources } from "#core/resources/check.ts";
import { loadResources } from "#core/resources/load.ts";

const steps = [{ name: "say" }];

/** What is said of a stage with this step. */
function problemsWith(step: string): string[] {
  const text = `
apiVersion: kargo.akuity.io/v1alpha1
kind: Warehouse
metadata: {name: main, namespace: shop}
spec: {subscriptions: [{git: {repoURL: https://g.example/shop}}]}
---
apiVersion: kargo.akuity.io/v1alpha1
kind: PromotionTask
metadata: {name: deploy, namespace: shop}
spec: {steps: [{uses: say}]}
---
apiVersion: kargo.akuity.io/v1alpha1
kind: Stage
metadata: {name: test, namespace: shop}
spec:
  requestedFreight: [{origin: {kind: Warehouse, name: main}, sources: {direct: true}}]
  promotionTemplate: {spec: {steps: [${step}]}}
`;
  const { resources, problems } = loadResources([{ file: "f.yaml", text }]);
  return [...problems, ...checkResources(resources, { steps })].map(({ message }) => message);
}

describe("forEach", () => {
  it.each([
    '{uses: say, forEach: {items: [1, 2]}, config: {a: "${{ vars.item }}", b: "${{ vars.itemIndex }}"}}',
    '{uses: say, forEach: {items: "${{ 1..3 }}", as: place, concurrency: 3}, if: "${{ vars.place > 1 }}"}',
    '{task: {name: deploy}, forEach: {items: [eu]}, vars: [{name: region, value: "${{ vars.item }}"}]}',
  ])("may be said of %s", (step) => {
    expect(problemsWith(step)).toEqual([]);
  });

  it.each([
    ['{uses: say, forEach: {items: "eu, us"}}', /expected a list, or an expression that gives one/],
    ["{uses: say, forEach: {items: [1], as: 1st}}", /expected letters, digits and _/],
    ["{uses: say, forEach: {items: [1], concurrency: 0}}", /concurrency|at least 1|>=1/],
    ["{uses: say, forEach: {item: [1]}}", /did you mean "items"/],
    ['{uses: say, forEach: {items: "${{ outputs.none }}"}}', /none/],
    ['{uses: say, config: {a: "${{ vars.item }}"}}', /no variable "item"/],
    ['{uses: say, forEach: {items: [1], as: place}, config: {a: "${{ vars.item }}"}}', /no variable "item"/],
  ])("is told what is wrong in %s", (step, message) => {
    expect(problemsWith(step).join("\n")).toMatch(message);
  });
});
