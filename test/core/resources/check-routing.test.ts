import { describe, expect, it } from "vitest";
import { checkResources } from "#core/resources/check.ts";
import { loadResources } from "#core/resources/load.ts";

/** What is said of one resource, without places. */
function said(kind: string, spec: object): string[] {
  const apiVersion = kind === "EventRouter" ? "ee.kargo.akuity.io/v1alpha1" : "argoproj.io/v1alpha1";
  const text = JSON.stringify({ apiVersion, kind, metadata: { name: "x", namespace: "shop" }, spec });
  const { resources, problems } = loadResources([{ file: "x.yaml", text }]);
  return [...problems, ...checkResources(resources, { steps: [] })].map(
    ({ severity, path, message }) => `${severity} ${path}: ${message}`,
  );
}

describe("a template's metrics", () => {
  const said1 = (provider: object) => said("AnalysisTemplate", { metrics: [{ name: "m", provider }] });

  it.each([
    { provider: { kayenta: { address: "x" } }, says: "the provider `kayenta` is not available" },
    { provider: { datadog: { formula: "a" } }, says: "`datadog` needs a `query` or `queries`" },
    {
      provider: { web: { url: "http://x", body: "b" } },
      says: "`body` and `jsonBody` need the method POST or PUT",
    },
    {
      provider: {
        job: { spec: { template: { spec: { containers: [{ name: "a", image: "b", volumeMounts: [] }] } } } },
      },
      says: 'spec.template.spec.containers.0: Unrecognized key: "volumeMounts"',
    },
  ])("are warned of where they cannot be measured: $says", ({ provider, says }) => {
    const [problem, ...others] = said1(provider);
    expect(problem).toMatch(/^warning spec\.metrics\[0\]\.provider\./);
    expect(problem).toContain(says);
    expect(others).toEqual([]);
  });

  it("are left to the run where arguments are to fill them in", () => {
    expect(said1({ prometheus: { address: "{{args.address}}", query: "up" } })).toEqual([]);
  });
});

describe("an event router", () => {
  const channels = [{ kind: "ClusterMessageChannel", name: "team" }];
  const noChannel = 'warning spec.channels[0].name: ClusterMessageChannel "team" is not there';

  it.each([
    {
      spec: { types: ["PromotionFaild"] },
      says: 'error spec.types[0]: there is no event type "PromotionFaild"; did you mean "PromotionFailed"?',
    },
    { spec: { types: ["GateOpened"], when: "event.stageName ==" }, says: "error spec.when: " },
    { spec: { types: ["GateOpened"], output: "${{ event. }}" }, says: "error spec.output: " },
    { spec: { types: [] }, says: "error spec.types: " },
  ])("with $spec is told so", ({ spec, says }) => {
    expect(said("EventRouter", { channels, ...spec })).toContainEqual(expect.stringContaining(says));
  });

  it("may name a channel that comes later", () => {
    expect(
      said("EventRouter", { channels, types: ["PromotionsFrozen"], output: "${{ event.message }}" }),
    ).toEqual([noChannel]);
  });
});
