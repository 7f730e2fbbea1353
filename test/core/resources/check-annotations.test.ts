import { expect, it } from "vitest";
import { checkResources } from "#core/resources/check.ts";
import { loadResources } from "#core/resources/load.ts";

const specOf = {
  Warehouse: "{subscriptions: [{git: {repoURL: https://g.example/shop}}]}",
  Stage: "{requestedFreight: [{origin: {kind: Warehouse, name: main}, sources: {direct: true}}]}",
  ClusterMessageChannel: "{http: {url: https://hooks.example/all}}",
};

function warnings(kind: keyof typeof specOf, annotation: string): string[] {
  const isForAll = kind === "ClusterMessageChannel";
  const text = `
apiVersion: ${isForAll ? "ee." : ""}kargo.akuity.io/v1alpha1
kind: ${kind}
metadata: {name: main, ${isForAll ? "" : "namespace: shop, "}annotations: {${annotation}}}
spec: ${specOf[kind]}`;
  const { resources, problems } = loadResources([{ file: "shop.yaml", text }]);
  expect(problems).toEqual([]);
  return checkResources(resources, { steps: [], exists: () => true }).map(
    ({ severity, message }) => `${severity}: ${message}`,
  );
}

it.each([
  ["Warehouse", "towpath.dev/settle: 3m", []],
  ["Warehouse", "towpath.dev/settle: 3 minutes", [/^warning: "3 minutes" means nothing here; .*duration/]],
  [
    "Warehouse",
    "towpath.dev/setle: 3m",
    [/^warning: a Warehouse has no annotation .*; it has towpath.dev\/settle$/],
  ],
  ["Stage", "towpath.dev/queue: supersede", []],
  ["Stage", "towpath.dev/queue: superseed", [/^warning: .*did you mean "supersede"/]],
  ["Stage", "towpath.dev/auto-promotion: always", [/^warning: .*expected "combination"/]],
  ["Stage", "towpath.dev/settle: 3m", [/^warning: a Stage has no annotation .*; it has towpath.dev\/queue/]],
  ["ClusterMessageChannel", "towpath.dev/request-set-by: messages", []],
  ["ClusterMessageChannel", "towpath.dev/request-set-by: mesages", [/^warning: .*did you mean "messages"/]],
  ["Stage", "example.com/queue: what we like", []],
] as const)("of a %s the annotation %s is told about as it should be", (kind, annotation, expected) => {
  const found = warnings(kind, annotation);
  expect(found).toHaveLength(expected.length);
  for (const [index, pattern] of expected.entries()) expect(found[index]).toMatch(pattern);
});
