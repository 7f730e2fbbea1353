import { describe, expect, it } from "vitest";
import { loadResources } from "#core/resources/load.ts";

const load = (text: string, options?: Parameters<typeof loadResources>[1]) =>
  loadResources([{ file: "pipeline.yaml", text }], options);

const stage = (spec: string, metadata = "{name: test, namespace: shop}") => `
apiVersion: kargo.akuity.io/v1alpha1
kind: Stage
metadata: ${metadata}
spec:
${spec.replace(/^\n/, "").replace(/\s+$/, "")}
`;
const direct = `
  requestedFreight:
  - origin: {kind: Warehouse, name: main}
    sources: {direct: true}`;
const warehouse = (subscription: string) => `
apiVersion: kargo.akuity.io/v1alpha1
kind: Warehouse
metadata: {name: main, namespace: shop}
spec:
  subscriptions:
  - ${subscription}
`;

describe("a resource", () => {
  it("is loaded with its defaults", () => {
    const { resources, problems } = load(warehouse("git: {repoURL: https://git.example.com/shop.git}"));
    expect(problems).toEqual([]);
    expect(resources[0]?.resource.spec).toEqual({
      interval: "5m0s",
      freightCreationPolicy: "Automatic",
      subscriptions: [
        {
          git: {
            repoURL: "https://git.example.com/shop.git",
            commitSelectionStrategy: "NewestFromBranch",
            strictSemvers: true,
            discoveryLimit: 20,
          },
        },
      ],
    });
  });

  it("keeps what a configuration says, nulls and empty texts too", () => {
    const { resources } = load(
      stage(`${direct}
  promotionTemplate:
    spec:
      steps:
      - uses: anything
        config: {nothing: null, empty: "", list: [null, {a: null}]}`),
    );
    expect(resources[0]?.resource.spec).toMatchObject({
      promotionTemplate: {
        spec: { steps: [{ config: { nothing: null, empty: "", list: [null, { a: null }] } }] },
      },
    });
  });

  it.each([
    ["null", "vars: null"],
    ["nothing", "vars:"],
    ["an empty text where a name belongs", 'verification: {analysisTemplates: [{name: smoke, kind: ""}]}'],
    ["an empty duration", "shard: ''"],
  ])("may have fields that say %s", (_, field) => {
    const { resources, problems } = load(stage(`${direct}\n  ${field}`));
    expect(problems).toEqual([]);
    expect(resources).toHaveLength(1);
  });

  it("may come as a cluster printed it, with managed fields and a status", () => {
    const { resources, problems } = load(
      `${stage(
        direct,
        "{name: test, namespace: shop, creationTimestamp: null, selfLink: /x, managedFields: [{manager: kubectl, fieldsV1: {f: {}}}]}",
      )}status: {freightSummary: abc, someday: new, health: {status: Healthy}}`,
    );
    expect(problems).toEqual([]);
    expect(resources[0]?.resource.status).toEqual({ freightSummary: "abc", health: { status: "Healthy" } });
  });

  it("loses a status that cannot be read, with a warning", () => {
    const { resources, problems } = load(`${stage(direct)}status: {health: 5}`);
    expect(problems).toMatchObject([{ severity: "warning", path: "status.health" }]);
    expect(resources[0]?.resource.status).toBeUndefined();
  });

  it("of an older Kargo may carry fields that are ignored now, with a warning", () => {
    const { resources, problems } = load(warehouse("image: {repoURL: acme/shop, semverConstraint: ^1}"));
    expect(problems).toMatchObject([
      {
        severity: "warning",
        path: "spec.subscriptions[0].image.semverConstraint",
        message: expect.stringContaining("write it as constraint"),
      },
    ]);
    expect(resources).toHaveLength(1);
  });

  it("without a namespace gets the default project, unless it belongs to none", () => {
    const { resources } = load(
      `${stage(direct, "{name: test}")}---\n{apiVersion: kargo.akuity.io/v1alpha1, kind: Project, metadata: {name: shop}}`,
      { defaultProject: "shop" },
    );
    expect(resources.map(({ resource }) => resource.metadata.namespace)).toEqual(["shop", undefined]);
  });

  it.each([
    "https://github.com/acme/shop",
    "https://user@git.example.com:8443/shop.git",
    "ssh://git@git.example.com:22/shop.git",
    "git@git.example.com:acme/shop.git",
    "file:///srv/git/shop.git",
  ])("may subscribe to %s", (repoURL) => {
    expect(load(warehouse(`git: {repoURL: "${repoURL}"}`)).problems).toEqual([]);
  });

  it("may use what Kargo calls deprecated", () => {
    const { problems } = load(
      `${warehouse("git: {repoURL: https://g.example/x, commitSelectionStrategy: SemVer, allowTags: ^v1, ignoreTags: [v1.0.0], semverConstraint: ^1}")}
---
apiVersion: kargo.akuity.io/v1alpha1
kind: ProjectConfig
metadata: {name: shop, namespace: shop}
spec: {promotionPolicies: [{stage: test, autoPromotionEnabled: true}]}
---
apiVersion: kargo.akuity.io/v1alpha1
kind: Project
metadata: {name: shop}
spec: {promotionPolicies: [{stage: test}]}
`,
    );
    expect(problems).toEqual([]);
  });
});

describe("a bad resource is reported with line, column, field, what was expected and the nearest name", () => {
  it.each([
    {
      title: "an unknown kind",
      text: "apiVersion: kargo.akuity.io/v1alpha1\nkind: Stag",
      problem: { line: 2, column: 7, path: "kind", message: 'unknown kind "Stag", did you mean "Stage"?' },
    },
    {
      title: "a kind in the wrong case",
      text: "kind: warehouse",
      problem: { line: 1, path: "kind", message: 'unknown kind "warehouse", did you mean "Warehouse"?' },
    },
    {
      title: "no kind",
      text: "apiVersion: v1",
      problem: { line: 1, column: 1, path: "kind", message: 'required field "kind" is missing' },
    },
    {
      title: "a wrong version",
      text: "apiVersion: kargo.akuity.io/v1\nkind: Stage",
      problem: {
        line: 1,
        column: 13,
        path: "apiVersion",
        message: expect.stringContaining('expected "kargo.akuity.io/v1alpha1"'),
      },
    },
    {
      title: "something that is no resource",
      text: "- a\n- b",
      problem: { line: 1, path: "", message: expect.stringContaining("expected a resource") },
    },
    {
      title: "an unknown field",
      text: stage(`${direct}\n  promotionTemplat: {}`),
      problem: {
        line: 9,
        column: 3,
        path: "spec.promotionTemplat",
        message: 'unknown field "promotionTemplat" in spec, did you mean "promotionTemplate"?',
      },
    },
    {
      title: "an unknown field with no name near it",
      text: stage(`${direct}\n  promotionMechanisms: {}`),
      problem: {
        path: "spec.promotionMechanisms",
        message: expect.stringContaining("known fields: shard, vars"),
      },
    },
    {
      title: "a missing field",
      text: stage("  vars: []"),
      problem: {
        line: 6,
        column: 3,
        path: "spec.requestedFreight",
        message: 'required field "requestedFreight" is missing',
      },
    },
    {
      title: "a wrong type",
      text: stage(
        "\n  requestedFreight:\n  - origin: {kind: Warehouse, name: main}\n    sources: {direct: 'true'}",
      ),
      problem: {
        line: 8,
        column: 23,
        path: "spec.requestedFreight[0].sources.direct",
        message: 'expected true or false, found the text "true"',
      },
    },
    {
      title: "a number where text belongs",
      text: stage(`${direct}\n  vars: [{name: replicas, value: 5}]`),
      problem: { path: "spec.vars[0].value", message: "expected text, found the number 5; put it in quotes" },
    },
    {
      title: "a boolean where text belongs",
      text: stage(`${direct}\n  vars: [{name: enabled, value: yes}]`),
      problem: {
        path: "spec.vars[0].value",
        message: "expected text, found the boolean true; put it in quotes",
      },
    },
    {
      title: "a value that is none of the choices",
      text: warehouse("git: {repoURL: https://g.example/x, commitSelectionStrategy: Semver}"),
      problem: {
        path: "spec.subscriptions[0].git.commitSelectionStrategy",
        message:
          '"Semver" is not valid; expected "NewestFromBranch", "SemVer", "Lexical" or "NewestTag", did you mean "SemVer"?',
      },
    },
    {
      title: "a text of the wrong form",
      text: stage(
        "\n  requestedFreight:\n  - origin: {kind: Warehouse, name: main}\n    sources: {stages: [a], requiredSoakTime: 1 day}",
      ),
      problem: {
        path: "spec.requestedFreight[0].sources.requiredSoakTime",
        message: '"1 day" is not valid: expected a duration such as 90s, 5m or 1h30m',
      },
    },
    {
      title: "a number out of bounds",
      text: warehouse("git: {repoURL: https://g.example/x, discoveryLimit: 101}"),
      problem: {
        path: "spec.subscriptions[0].git.discoveryLimit",
        message: "101 is not valid; expected at most 100",
      },
    },
    {
      title: "a time that is none",
      text: warehouse("git: {repoURL: https://g.example/x, since: yesterday}"),
      problem: {
        path: "spec.subscriptions[0].git.since",
        message: '"yesterday" is not valid: expected a time such as 2030-01-02T03:04:05Z',
      },
    },
    {
      title: "a list without entries",
      text: stage("  requestedFreight: []"),
      problem: { path: "spec.requestedFreight", message: "needs at least one entry" },
    },
    {
      title: "a name that is none",
      text: stage(direct, "{name: Test_1, namespace: shop}"),
      problem: { path: "metadata.name", message: expect.stringContaining('"Test_1" is not valid') },
    },
    {
      title: "an address that is none",
      text: warehouse("image: {repoURL: https://registry.example/shop}"),
      problem: {
        path: "spec.subscriptions[0].image.repoURL",
        message: expect.stringContaining("expected an image repository without scheme, tag and digest"),
      },
    },
  ])("$title", ({ text, problem }) => {
    const { resources, problems } = load(text);
    expect(resources).toEqual([]);
    expect(problems).toMatchObject([{ severity: "error", file: "pipeline.yaml", ...problem }]);
  });

  it("all of its problems at once, in the order of their lines", () => {
    const { problems } = load(
      stage(`
  requestedFrieght: []
  requestedFreight:
  - origin: {kind: Depot, name: main}
    sources: {direct: 1}
  vars: [{name: a-b, value: ok}]`),
    );
    expect(problems.map(({ line, path }) => [line, path])).toEqual([
      [6, "spec.requestedFrieght"],
      [8, "spec.requestedFreight[0].origin.kind"],
      [9, "spec.requestedFreight[0].sources.direct"],
      [10, "spec.vars[0].name"],
    ]);
  });

  it("but of very many only the first", () => {
    const fields = Array.from({ length: 5000 }, (_, index) => `  f${index}: 1`).join("\n");
    const { problems } = load(stage(`${direct}\n${fields}`));
    expect(problems).toHaveLength(101);
    expect(problems).toContainEqual(
      expect.objectContaining({ message: "there are 4900 more problems in this resource" }),
    );
  });

  it("and never keeps the good ones from being loaded", () => {
    const { resources, problems } = load(
      `kind: Nonsense\n---\n${warehouse("git: {repoURL: https://g.example/x}")}---\na: [\n---\n${stage(direct)}`,
    );
    expect(resources.map(({ resource }) => resource.kind)).toEqual(["Warehouse", "Stage"]);
    expect(problems).toHaveLength(2);
  });
});

describe("several resources", () => {
  it("in a list are loaded one by one, with their places", () => {
    const { resources, problems } = load(`apiVersion: v1
kind: List
items:
- apiVersion: kargo.akuity.io/v1alpha1
  kind: Project
  metadata: {name: shop}
- apiVersion: v1
  kind: Secret
  metadata: {name: db, namespace: shop, oops: 1}
`);
    expect(resources.map(({ resource }) => resource.metadata.name)).toEqual(["shop", "db"]);
    expect(problems).toMatchObject([{ severity: "warning", line: 9, path: "metadata.oops" }]);
  });

  it("in a list of one kind need not repeat it", () => {
    const { resources, problems } = load(
      '{"apiVersion": "kargo.akuity.io/v1alpha1", "kind": "ProjectList", "items": [{"metadata": {"name": "a"}}, {"metadata": {"name": "b"}}]}',
    );
    expect(problems).toEqual([]);
    expect(resources.map(({ resource }) => [resource.kind, resource.metadata.name])).toEqual([
      ["Project", "a"],
      ["Project", "b"],
    ]);
  });

  it("of one name are an error that names the first, which is kept", () => {
    const { resources, problems } = loadResources([
      { file: "a.yaml", text: warehouse("git: {repoURL: https://g.example/a}") },
      { file: "b.yaml", text: warehouse("git: {repoURL: https://g.example/b}") },
    ]);
    expect(resources.map(({ file }) => file)).toEqual(["a.yaml"]);
    expect(problems).toMatchObject([
      {
        severity: "error",
        file: "b.yaml",
        line: 4,
        message: 'Warehouse "shop/main" is there twice; the first is in a.yaml, line 4',
      },
    ]);
  });

  it("that the daemon is to name may be many", () => {
    const promotion =
      "{apiVersion: kargo.akuity.io/v1alpha1, kind: Promotion, metadata: {generateName: test., namespace: shop}, spec: {stage: test, freight: abc}}";
    expect(load(`${promotion}\n---\n${promotion}`)).toMatchObject({ resources: [{}, {}], problems: [] });
  });

  it.each([
    ["rbac.authorization.k8s.io/v1", "RoleBinding"],
    ["argoproj.io/v1alpha1", "Application"],
  ])("of kinds that often stand beside Kargo's are left out with a warning: %s %s", (apiVersion, kind) => {
    const { resources, problems } = load(`apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: x}`);
    expect(resources).toEqual([]);
    expect(problems).toMatchObject([{ severity: "warning", path: "kind" }]);
  });
});
