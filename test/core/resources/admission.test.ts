import { describe, expect, it } from "vitest";
import { applyDefaults, freightContentErrors, validateResource } from "#core/resources/admission.ts";
import type { Freight } from "#core/resources/freight.ts";
import { parseResource } from "#core/resources/parse-resource.ts";
import { formatPath } from "#core/resources/path.ts";
import type { Resource } from "#core/resources/resource.ts";
import type { Warehouse } from "#core/resources/warehouse.ts";

const versions: Record<string, string> = {
  Secret: "v1",
  ConfigMap: "v1",
  AnalysisTemplate: "argoproj.io/v1alpha1",
  MessageChannel: "ee.kargo.akuity.io/v1alpha1",
};

function make(kind: string, fields: object, metadata: object = {}): Resource {
  const apiVersion = versions[kind] ?? "kargo.akuity.io/v1alpha1";
  const { resource, issues } = parseResource({
    apiVersion,
    kind,
    metadata: { name: "main", namespace: "shop", ...metadata },
    ...fields,
  });
  expect(issues).toEqual([]);
  return resource as Resource;
}

const origin = { kind: "Warehouse", name: "main" };
const direct = { origin, sources: { direct: true } };
const stage = (spec: object) => make("Stage", { spec: { requestedFreight: [direct], ...spec } });
const steps = (...list: object[]) => stage({ promotionTemplate: { spec: { steps: list } } });
const task = (...list: object[]) => make("PromotionTask", { spec: { steps: list } });
const warehouse = (...subscriptions: object[]) => make("Warehouse", { spec: { subscriptions } });
const config = (spec: object, metadata = {}) =>
  make("ProjectConfig", { spec }, { name: "shop", ...metadata });
const git = (repoURL = "https://g.example/shop", more = {}) => ({ git: { repoURL, ...more } });
const image = (repoURL = "acme/shop", more = {}) => ({ image: { repoURL, ...more } });
const chart = (repoURL: string, name?: string, more = {}) => ({
  chart: { repoURL, ...(name ? { name } : {}), ...more },
});
const metric = (name: string, provider: object) => ({ name, provider });

describe("what Kargo's admission accepts", () => {
  it.each<[string, Resource]>([
    ["a stage of which nothing special is said", stage({})],
    [
      "steps with names of their own",
      steps({ uses: "a", as: "one" }, { uses: "a", as: "two" }, { uses: "a" }),
    ],
    ["a task in a template", steps({ task: { name: "t" }, as: "t", vars: [{ name: "x", value: "1" }] })],
    [
      "MatchUpstream with one upstream",
      stage({
        requestedFreight: [
          { origin, sources: { stages: ["a"], autoPromotionOptions: { selectionPolicy: "MatchUpstream" } } },
        ],
      }),
    ],
    [
      "subscriptions of every type",
      warehouse(
        git(),
        image(),
        chart("oci://r.example/c"),
        chart("https://c.example", "a"),
        chart("https://c.example", "b"),
      ),
    ],
    [
      "version constraints",
      warehouse(
        git("https://g.example/a", { semverConstraint: ">=1.2 <2 || ^3.1" }),
        image("a/b", { constraint: "~1.2.x" }),
      ),
    ],
    [
      "any tag for a digest",
      warehouse(image("a/b", { imageSelectionStrategy: "Digest", constraint: "latest" })),
    ],
    [
      "policies by name and by pattern",
      config({
        promotionPolicies: [
          { stage: "a" },
          { stageSelector: { name: "regex:^b" } },
          { stageSelector: { name: "glob:c*" } },
          { stageSelector: { matchLabels: { d: "e" } } },
        ],
      }),
    ],
  ])("%s", (_, resource) => {
    expect(validateResource(resource)).toEqual([]);
  });
});

describe("what Kargo's admission refuses", () => {
  const template = "spec.promotionTemplate.spec.steps";
  it.each<[string, Resource, string, RegExp]>([
    [
      "two steps of one name",
      steps({ uses: "a", as: "x" }, { uses: "a", as: " x " }),
      `${template}[1].as`,
      /"x" is taken by step 1/,
    ],
    ["a name that Kargo gives itself", steps({ uses: "a", as: "step-7" }), `${template}[0].as`, /reserved/],
    ["another such name", steps({ task: { name: "t" }, as: "task-1" }), `${template}[0].as`, /reserved/],
    ["a step that does nothing", steps({ as: "x" }), `${template}[0]`, /give "uses" or "task"/],
    ["a step that does both", steps({ uses: "a", task: { name: "t" } }), `${template}[0].task`, /not both/],
    [
      "a task with a condition",
      steps({ task: { name: "t" }, if: "${{ true }}" }),
      `${template}[0].if`,
      /cannot have "if"/,
    ],
    [
      "a task with a configuration",
      steps({ task: { name: "t" }, config: {} }),
      `${template}[0].config`,
      /cannot have "config"/,
    ],
    [
      "a task with a retry",
      steps({ task: { name: "t" }, retry: { errorThreshold: 2 } }),
      `${template}[0].retry`,
      /cannot have "retry"/,
    ],
    [
      "a task that may fail",
      steps({ task: { name: "t" }, continueOnError: false }),
      `${template}[0].continueOnError`,
      /cannot have/,
    ],
    ["a task within a task", task({ task: { name: "t" } }), "spec.steps[0].task", /cannot name a task/],
    ["an empty step of a task", task({ as: "x" }), "spec.steps[0]", /give "uses"/],
    [
      "names that repeat in a task",
      task({ uses: "a", as: "x" }, { uses: "a", as: "x" }),
      "spec.steps[1].as",
      /taken/,
    ],
    [
      "freight of one origin twice",
      stage({ requestedFreight: [direct, direct] }),
      "spec.requestedFreight[1].origin",
      /requested twice/,
    ],
    [
      "MatchUpstream with direct freight",
      stage({
        requestedFreight: [
          {
            origin,
            sources: {
              direct: true,
              stages: ["a"],
              autoPromotionOptions: { selectionPolicy: "MatchUpstream" },
            },
          },
        ],
      }),
      "spec.requestedFreight[0].sources.autoPromotionOptions.selectionPolicy",
      /direct/,
    ],
    [
      "MatchUpstream with two upstreams",
      stage({
        requestedFreight: [
          {
            origin,
            sources: { stages: ["a", "b"], autoPromotionOptions: { selectionPolicy: "MatchUpstream" } },
          },
        ],
      }),
      "spec.requestedFreight[0].sources.autoPromotionOptions.selectionPolicy",
      /exactly one/,
    ],
    [
      "a subscription to nothing",
      warehouse({ name: "x" }),
      "spec.subscriptions[0]",
      /exactly one of git, image and chart; found none/,
    ],
    [
      "a subscription to two things",
      warehouse({ ...git(), ...image() }),
      "spec.subscriptions[0]",
      /found git and image/,
    ],
    [
      "one repository twice",
      warehouse(git("https://g.example/Shop.git"), git("https://user@g.example/shop/")),
      "spec.subscriptions[1].git.repoURL",
      /subscription 1/,
    ],
    [
      "one image twice",
      warehouse(image("docker.io/library/redis"), image("redis")),
      "spec.subscriptions[1].image.repoURL",
      /subscription 1/,
    ],
    [
      "one chart twice",
      warehouse(chart("https://c.example", "a"), chart("https://c.example", "a")),
      "spec.subscriptions[1].chart.repoURL",
      /subscription 1/,
    ],
    [
      "one name twice",
      warehouse({ name: "x", ...git() }, { name: "x", ...image() }),
      "spec.subscriptions[1].name",
      /taken/,
    ],
    ["a name that is none", warehouse({ name: "X!", ...git() }), "spec.subscriptions[0].name", /not valid/],
    [
      "a constraint that is none",
      warehouse(git("https://g.example/a", { semverConstraint: "newest" })),
      "spec.subscriptions[0].git.semverConstraint",
      /not a version constraint/,
    ],
    [
      "a chart's constraint that is none",
      warehouse(chart("oci://r.example/c", undefined, { semverConstraint: "1.y" })),
      "spec.subscriptions[0].chart.semverConstraint",
      /not a version constraint/,
    ],
    [
      "a pattern that is none",
      warehouse(image("a/b", { ignoreTagsRegexes: ["ok", "("] })),
      "spec.subscriptions[0].image.ignoreTagsRegexes[1]",
      /\(/,
    ],
    [
      "a digest of no tag",
      warehouse(image("a/b", { imageSelectionStrategy: "Digest" })),
      "spec.subscriptions[0].image.constraint",
      /needs a constraint/,
    ],
    [
      "a platform without architecture",
      warehouse(image("a/b", { platform: "linux" })),
      "spec.subscriptions[0].image.platform",
      /linux\/arm64/,
    ],
    [
      "a name for an OCI chart",
      warehouse(chart("oci://r.example/c", "c")),
      "spec.subscriptions[0].chart.name",
      /leave out name/,
    ],
    [
      "no name for a chart of a classic repository",
      warehouse(chart("https://c.example")),
      "spec.subscriptions[0].chart.name",
      /needed/,
    ],
    ["a ProjectConfig of another name", config({}, { name: "other" }), "metadata.name", /expected "shop"/],
    [
      "a policy for nobody",
      config({ promotionPolicies: [{ autoPromotionEnabled: true }] }),
      "spec.promotionPolicies[0]",
      /exactly one/,
    ],
    [
      "a policy for two",
      config({ promotionPolicies: [{ stage: "a", stageSelector: { name: "b" } }] }),
      "spec.promotionPolicies[0]",
      /exactly one/,
    ],
    [
      "two policies for one",
      config({ promotionPolicies: [{ stage: "a" }, { stageSelector: { name: "a" } }] }),
      "spec.promotionPolicies[1]",
      /policy 1 already/,
    ],
    [
      "a pattern of no kind",
      config({ promotionPolicies: [{ stageSelector: { name: "like:a" } }] }),
      "spec.promotionPolicies[0].stageSelector.name",
      /expected glob:, regex: or regexp:/,
    ],
    [
      "a broken pattern",
      config({ promotionPolicies: [{ stageSelector: { name: "regex:(" } }] }),
      "spec.promotionPolicies[0].stageSelector.name",
      /\(/,
    ],
    [
      "a receiver for two platforms",
      config({
        webhookReceivers: [
          { name: "x", github: { secretRef: { name: "s" } }, quay: { secretRef: { name: "s" } } },
        ],
      }),
      "spec.webhookReceivers[0]",
      /github and quay/,
    ],
    [
      "two receivers of one name",
      config({
        webhookReceivers: [
          { name: "x", github: { secretRef: { name: "s" } } },
          { name: "x", quay: { secretRef: { name: "s" } } },
        ],
      }),
      "spec.webhookReceivers[1].name",
      /receiver 1/,
    ],
    [
      "a target that could be anything",
      config({
        webhookReceivers: [
          {
            name: "x",
            generic: {
              secretRef: { name: "s" },
              actions: [
                { action: "Refresh", targetSelectionCriteria: [{ kind: "Warehouse", labelSelector: {} }] },
              ],
            },
          },
        ],
      }),
      "spec.webhookReceivers[0].generic.actions[0].targetSelectionCriteria[0]",
      /at least one/,
    ],
    [
      "a ClusterConfig of another name",
      make("ClusterConfig", {}, { name: "main" }),
      "metadata.name",
      /"cluster"/,
    ],
    ["a promotion of nothing", make("Promotion", { spec: { stage: "a" } }), "spec", /freight.*origin/],
    [
      "a promotion of two things",
      make("Promotion", { spec: { stage: "a", freight: "b", origin } }),
      "spec",
      /freight.*origin/,
    ],
    ["empty freight", make("Freight", { origin }), "", /at least one/],
    ["a channel to nowhere", make("MessageChannel", { spec: {} }), "spec", /found none/],
    [
      "a metric of two providers",
      make("AnalysisTemplate", { spec: { metrics: [metric("a", { web: { url: "u" }, prometheus: {} })] } }),
      "spec.metrics[0].provider",
      /web and prometheus/,
    ],
    [
      "two metrics of one name",
      make("AnalysisTemplate", {
        spec: { metrics: [metric("a", { web: { url: "u" } }), metric("a", { web: { url: "u" } })] },
      }),
      "spec.metrics[1].name",
      /metric 1/,
    ],
    [
      "a secret that is not base64",
      make("Secret", { data: { password: "hunter2!" } }),
      "data.password",
      /stringData/,
    ],
  ])("%s", (_, resource, path, message) => {
    expect(validateResource(resource).map((error) => ({ ...error, path: formatPath(error.path) }))).toEqual([
      { path, message: expect.stringMatching(message) },
    ]);
  });
});

describe("a value of a secret", () => {
  it.each([
    ["", true],
    ["aGk=", true],
    ["aGk", false],
    ["aG\nk=\r\n", true],
    ["a-_=", false],
    [`${"\n".repeat(500_000)}!`, false],
  ])("%# is base64 or not, as Go sees it", (value, valid) => {
    expect(validateResource(make("Secret", { data: { value } }))).toHaveLength(valid ? 0 : 1);
  });
});

describe("what may not change", () => {
  const promotion = make("Promotion", { spec: { stage: "a", freight: "b" } });
  const freight = make("Freight", {
    origin,
    alias: "old",
    commits: [{ repoURL: "https://g.example/a", id: "1" }],
  });
  const secret = make("Secret", { data: { a: "Yg==" }, immutable: true });

  it.each<[string, Resource, object, string[]]>([
    [
      "a promotion's metadata may",
      promotion,
      { metadata: { name: "main", namespace: "shop", labels: { x: "y" } } },
      [],
    ],
    ["a promotion's spec may not", promotion, { spec: { stage: "a", freight: "c" } }, ["spec"]],
    ["the alias of freight may", freight, { alias: "new" }, []],
    [
      "the commits of freight may not",
      freight,
      { commits: [{ repoURL: "https://g.example/a", id: "2" }] },
      ["commits"],
    ],
    ["the images of freight may not", freight, { images: [{ repoURL: "a/b", tag: "1" }] }, ["images"]],
    ["an immutable secret may not", secret, { data: { a: "Yw==" } }, ["data"]],
  ])("%s", (_, before, change, paths) => {
    const after = { ...before, ...change } as Resource;
    expect(validateResource(after, before).map(({ path }) => formatPath(path))).toEqual(paths);
  });
});

describe("what is filled in", () => {
  const now = new Date("2030-01-02T03:04:05Z");

  it("the shard's label follows the field", () => {
    const labelled = { ...stage({ shard: "east" }) };
    expect(applyDefaults(labelled, now).metadata.labels).toEqual({ "kargo.akuity.io/shard": "east" });
    const unlabelled = make(
      "Stage",
      { spec: { requestedFreight: [direct] } },
      { labels: { "kargo.akuity.io/shard": "west", keep: "it" } },
    );
    expect(applyDefaults(unlabelled, now).metadata.labels).toEqual({ keep: "it" });
  });

  it("a discovery limit of 0 is the default", () => {
    const { spec } = applyDefaults(
      warehouse({ name: "x", ...git("https://g.example/a", { discoveryLimit: 0 }) }, image()),
      now,
    ) as unknown as Warehouse;
    expect(spec.subscriptions.map(({ git, image }) => (git ?? image)?.discoveryLimit)).toEqual([20, 20]);
    expect(spec.subscriptions[0]?.name).toBe("x");
  });

  it("freight gets the time of its discovery, and its alias as a label", () => {
    const freight = applyDefaults(make("Freight", { origin, alias: "old-gull" }), now) as unknown as Freight;
    expect(freight.discoveredAt).toBe("2030-01-02T03:04:05.000Z");
    expect(freight.metadata.labels).toEqual({ "kargo.akuity.io/alias": "old-gull" });
  });

  it("plain values of a secret join the encoded ones", () => {
    const secret = applyDefaults(
      make("Secret", { data: { a: "Yg==", c: "ZA==" }, stringData: { a: "é" } }),
      now,
    );
    expect(secret).toMatchObject({ data: { a: "w6k=", c: "ZA==" } });
    expect(secret).not.toHaveProperty("stringData");
  });

  it("the resource that was given stays as it was", () => {
    const before = stage({ shard: "east" });
    const copy = structuredClone(before);
    applyDefaults(before, now);
    expect(before).toEqual(copy);
  });
});

describe("freight against its Warehouse", () => {
  const home = warehouse(
    git("https://g.example/shop.git"),
    image("acme/shop"),
    chart("https://c.example", "web"),
  ) as unknown as Warehouse;
  const all = {
    commits: [{ repoURL: "https://g.example/shop", id: "1" }],
    images: [{ repoURL: "acme/shop", tag: "1" }],
    charts: [{ repoURL: "https://c.example", name: "web", version: "1" }],
  };
  it.each([
    { title: "one of each is right", contents: all, paths: [] },
    { title: "one may not be missing", contents: { ...all, images: [] }, paths: ["images"] },
    {
      title: "one may not be there twice",
      contents: { ...all, images: [...all.images, { repoURL: "acme/shop", tag: "2" }] },
      paths: ["images"],
    },
    {
      title: "none may be strange",
      contents: { ...all, charts: [{ repoURL: "https://c.example", name: "db", version: "1" }] },
      paths: ["charts[0]", "charts"],
    },
  ])("$title", ({ contents, paths }) => {
    const freight = make("Freight", { origin, ...contents }) as unknown as Freight;
    expect(freightContentErrors(freight, home).map(({ path }) => formatPath(path))).toEqual(paths);
  });
});
