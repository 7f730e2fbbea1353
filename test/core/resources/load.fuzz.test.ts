import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkResources } from "#core/resources/check.ts";
import { loadResources } from "#core/resources/load.ts";

const pipeline = `apiVersion: kargo.akuity.io/v1alpha1
kind: Stage
metadata: &m {name: test, namespace: shop, labels: {a: b}}
spec:
  vars: [{name: x, value: "\${{ ctx.stage }}"}]
  requestedFreight:
  - origin: {kind: Warehouse, name: main}
    sources: {stages: [other], requiredSoakTime: 1h}
  promotionTemplate:
    spec:
      steps:
      - {uses: ship, as: a, config: {to: "\${{ vars.x + outputs.b.c }}", n: [1, {x: yes}]}}
      - task: {name: t}
---
apiVersion: kargo.akuity.io/v1alpha1
kind: Warehouse
metadata:
  <<: *m
spec: {subscriptions: [{git: {repoURL: https://g.example/x, semverConstraint: ^1}}]}
`;

/** The pipeline with a few pieces put in, taken out or doubled. */
const damaged = fc
  .array(
    fc.record({
      at: fc.nat(pipeline.length),
      drop: fc.nat(12),
      add: fc.oneof(
        fc.constantFrom(
          "---\n",
          "\n",
          "  ",
          "- ",
          "{",
          "}",
          "[",
          "]",
          ": ",
          "*m",
          "&z ",
          "<<: ",
          "null",
          '"',
          "'",
          "|\n",
          "${{",
          "}}",
          "${%",
          "#",
          "\t",
          "!!int ",
          "? ",
        ),
        fc.string({ maxLength: 5 }),
      ),
    }),
    { minLength: 1, maxLength: 6 },
  )
  .map((edits) =>
    edits.reduce((text, { at, drop, add }) => text.slice(0, at) + add + text.slice(at + drop), pipeline),
  );

describe("whatever a file says", () => {
  it.each([
    ["damaged in places", damaged],
    ["of any characters", fc.string({ unit: "binary" })],
    ["of any JSON", fc.json()],
  ])("it is loaded and checked without a crash, and each problem has its place: %s", (_, texts) => {
    fc.assert(
      fc.property(texts, (text) => {
        const { resources, problems } = loadResources([{ file: "f", text }]);
        const lines = text.split("\n").length;
        for (const { line, column, message } of [...problems, ...checkResources(resources, { steps: [] })]) {
          expect(line).toBeGreaterThanOrEqual(1);
          expect(line).toBeLessThanOrEqual(lines);
          expect(column).toBeGreaterThanOrEqual(1);
          expect(message).not.toBe("");
        }
      }),
      { numRuns: 300 },
    );
  });
});
