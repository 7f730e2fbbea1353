import { describe, expect, it } from "vitest";
import { z } from "zod";
import { checkResources, errorsOf, type KnownStep } from "#core/resources/check.ts";
import { loadResources } from "#core/resources/load.ts";
import type { Resource } from "#core/resources/resource.ts";

/** A kind of step with every sort of rule that a configuration can break. */
const ship: KnownStep = {
  name: "ship",
  config: z.strictObject({
    to: z.string().min(3),
    mode: z.enum(["fast", "slow"]).optional(),
    crates: z.int().max(9).optional(),
    how: z.union([z.strictObject({ road: z.string() }), z.strictObject({ rail: z.boolean() })]).optional(),
    route: z
      .strictObject({ via: z.string().optional(), straight: z.boolean().optional() })
      .refine(({ via, straight }) => (via === undefined) !== (straight === undefined), {
        message: "give one of via and straight",
      })
      .optional(),
  }),
};
const steps: KnownStep[] = [ship, { name: "compose-output", taskOutput: true }, { name: "yaml-parse" }];

const warehouse = `
apiVersion: kargo.akuity.io/v1alpha1
kind: Warehouse
metadata: {name: main, namespace: shop}
spec: {subscriptions: [{git: {repoURL: https://g.example/shop}}]}
---`;
const stageNamed = (name: string, requests: string, rest = "") => `
apiVersion: kargo.akuity.io/v1alpha1
kind: Stage
metadata: {name: ${name}, namespace: shop}
spec:
  requestedFreight: [${requests}]
${rest}
---`;
const from = (sources: string, origin = "main") =>
  `{origin: {kind: Warehouse, name: ${origin}}, sources: ${sources}}`;
const direct = from("{direct: true}");
const indent = (text: string, by: number) => text.replace(/^(?=.)/gm, " ".repeat(by));
const withSteps = (list: string) =>
  warehouse +
  stageNamed(
    "test",
    direct,
    `  vars: [{name: town, value: Ghent}]\n  promotionTemplate:\n    spec:\n      steps:\n${indent(list, 6)}`,
  );
const taskNamed = (name: string, list: string, kind = "PromotionTask") => `
apiVersion: kargo.akuity.io/v1alpha1
kind: ${kind}
metadata: {name: ${name}${kind === "PromotionTask" ? ", namespace: shop" : ""}}
spec:
  steps:
${indent(list, 2)}
---`;

function check(text: string, options: Partial<Parameters<typeof checkResources>[1]> = {}) {
  const { resources, problems } = loadResources([{ file: "f.yaml", text }]);
  expect(problems).toEqual([]);
  return checkResources(resources, { steps, ...options });
}
const brief = (text: string) =>
  check(text).map(({ severity, path, message }) => ({ severity, path, message }));
const at = (step: number, rest: string) => `spec.promotionTemplate.spec.steps[${step}].${rest}`;

describe("kinds and configurations of steps", () => {
  it.each([
    "- {uses: ship, config: {to: Bruges, mode: fast, crates: 3, how: {rail: true}, route: {via: Aalst}}}",
    '- {uses: ship, config: {to: "${{ vars.town }}", mode: "${{ ctx.stage }}", crates: "${{ 1 + 1 }}"}}',
    '- {uses: ship, config: {to: Bruges, how: "${{ {road: \'E40\'} }}", route: "${{ {straight: true} }}"}}',
    '- {uses: ship, config: {to: Bruges, how: {road: "${% ctx.stage %}"}, route: {via: "${{ ctx.stage }}", straight: false}}}',
  ])("that fit are fine: %s", (list) => {
    expect(check(withSteps(list))).toEqual([]);
  });

  it.each([
    {
      list: "- uses: shipp",
      path: at(0, "uses"),
      message: 'unknown step kind "shipp", did you mean "ship"?',
    },
    {
      list: "- uses: zzz",
      path: at(0, "uses"),
      message: 'unknown step kind "zzz"; kinds of your own are defined by a CustomPromotionStep',
    },
    {
      list: "- uses: jira",
      path: at(0, "uses"),
      message: expect.stringContaining('Kargo\'s step kind "jira" is not part of Towpath'),
    },
    { list: "- uses: ship", path: at(0, "config.to"), message: 'required field "to" is missing' },
    {
      list: "- {uses: ship, config: {to: Bruges, moed: fast}}",
      path: at(0, "config.moed"),
      message: 'unknown field "moed", did you mean "mode"?',
    },
    {
      list: '- {uses: ship, config: {to: Bruges, moed: "${{ ctx.stage }}"}}',
      path: at(0, "config.moed"),
      message: 'unknown field "moed", did you mean "mode"?',
    },
    {
      list: "- {uses: ship, config: {to: Bruges, crates: three}}",
      path: at(0, "config.crates"),
      message: 'expected a number, found the text "three"',
    },
    {
      list: "- {uses: ship, config: {to: Bruges, route: {}}}",
      path: at(0, "config.route"),
      message: "give one of via and straight",
    },
    {
      list: '- {uses: ship, config: {to: Bruges, how: {raod: "${{ ctx.stage }}"}}}',
      path: at(0, "config.how.raod"),
      message: expect.stringContaining('unknown field "raod"'),
    },
  ])("that do not fit are errors: $list", ({ list, path, message }) => {
    expect(brief(withSteps(list))).toContainEqual({ severity: "error", path, message });
  });

  const custom = (spec: string) =>
    `\napiVersion: ee.kargo.akuity.io/v1alpha1\nkind: CustomPromotionStep\nmetadata: {name: scan}\nspec: {image: scanner, ${spec}}\n---`;
  const schema =
    "configSchema: {type: object, properties: {level: {type: integer}}, additionalProperties: false}";

  it("that a CustomPromotionStep defines are known, wherever it stands", () => {
    expect(check(withSteps("- {uses: scan, config: {any: thing}}") + custom("command: [scan]"))).toEqual([]);
  });

  it("that a CustomPromotionStep defines are held to its schema", () => {
    const text = withSteps(
      '- {uses: scan, config: {level: "${{ 5 }}"}}\n- {uses: scan, config: {level: high, depth: 1}}',
    );
    expect(brief(text + custom(schema))).toMatchObject([
      { severity: "error", path: at(1, "config.level") },
      { severity: "error", path: at(1, "config.depth"), message: 'unknown field "depth"' },
    ]);
  });

  it.each([
    { spec: "configSchema: {type: nonsense}", path: "spec.configSchema" },
    { spec: "network: {mode: bridge, allow: [example.com]}", path: "spec.network.allow" },
    { spec: 'network: {allow: ["https://example.com"]}', path: "spec.network.allow" },
    { spec: "output: {source: {type: File}}", path: "spec.output.source" },
    { spec: 'command: ["${{ config.a + }}"]', path: "spec.command[0]" },
    { spec: 'output: {transform: {a: "output."}}', path: "spec.output.transform.a" },
  ])("cannot be defined wrongly: $spec", ({ spec, path }) => {
    expect(brief(custom(spec))).toMatchObject([{ severity: "error", path }]);
  });

  it("of Towpath's own cannot be defined anew", () => {
    expect(brief(custom("command: [x]").replace("name: scan", "name: ship"))).toMatchObject([
      { severity: "error", path: "metadata.name" },
    ]);
  });
});

describe("outputs that expressions read", () => {
  it.each([
    {
      title: "of an earlier step",
      list: '- {uses: yaml-parse, as: read}\n- {uses: compose-output, config: {v: "${{ outputs.read.v }}"}}',
    },
    {
      title: "in brackets",
      list: "- {uses: yaml-parse, as: read-it}\n- {uses: compose-output, config: {v: \"${{ outputs['read-it'].v }}\"}}",
    },
    {
      title: "of a step without a name",
      list: "- uses: yaml-parse\n- {uses: compose-output, config: {v: \"${{ outputs['step-1'].v }}\"}}",
    },
    {
      title: "in `if` and in the other delimiters",
      list: '- {uses: yaml-parse, as: read}\n- {uses: compose-output, if: "${% outputs.read.ok %}", config: {v: 1}}',
    },
    {
      title: "in a step's variables",
      list: '- {uses: yaml-parse, as: read}\n- {uses: compose-output, vars: [{name: v, value: "${{ outputs.read.v }}"}], config: {v: "${{ vars.v }}"}}',
    },
    {
      title: "by a computed name",
      list: '- {uses: compose-output, config: {v: "${{ outputs[ctx.stage] }}"}}',
    },
    {
      title: "by a name that a let gives",
      list: '- {uses: compose-output, config: {v: "${{ let outputs = {a: 1}; outputs.a }}"}}',
    },
    {
      title: "of a task that is not there yet",
      list: '- {task: {name: later}, as: t}\n- {uses: compose-output, config: {v: "${{ outputs.t.v }}"}}',
      warnings: 1,
    },
  ])("$title are fine", ({ list, warnings = 0 }) => {
    const problems = check(withSteps(list));
    expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
    expect(problems).toHaveLength(warnings);
  });

  it.each([
    {
      title: "of no step",
      expression: "outputs.raed.v",
      message: 'no earlier step has the alias "raed", did you mean "read"?',
    },
    {
      title: "of the step itself",
      expression: "outputs.me",
      message: 'no earlier step has the alias "me"; earlier steps: read',
    },
    {
      title: "of a later step",
      expression: "outputs.later.x",
      message: 'no earlier step has the alias "later"; earlier steps: read',
    },
    {
      title: "within a call",
      expression: "quote(outputs['nope'].x)",
      message: expect.stringContaining('the alias "nope"'),
    },
  ])("$title are an error", ({ expression, message }) => {
    const list = `- {uses: yaml-parse, as: read}\n- uses: compose-output\n  as: me\n  config: {v: {w: ["\${{ ${expression} }}"]}}\n- {uses: yaml-parse, as: later}`;
    expect(brief(withSteps(list))).toEqual([{ severity: "error", path: at(1, "config.v.w[0]"), message }]);
  });

  it("that may be missing are a warning only", () => {
    expect(
      brief(withSteps('- {uses: compose-output, config: {v: "${{ outputs?.nope?.x }}"}}')),
    ).toMatchObject([{ severity: "warning" }]);
  });

  const useTask = (expression: string) =>
    withSteps(
      `- {task: {name: prepare}, as: p}\n- {uses: compose-output, config: {v: "\${{ ${expression} }}"}}`,
    );

  it.each([
    ["the task's own output", "- {uses: compose-output, as: out, config: {v: 1}}", "outputs.p.v", []],
    ["a step inside of the task", "- {uses: yaml-parse, as: read}", "outputs['p::read'].v", []],
    [
      "a task that puts nothing out",
      "- {uses: yaml-parse, as: read}",
      "outputs.p.v",
      [expect.stringContaining("puts nothing out")],
    ],
    [
      "a step that the task does not have",
      "- {uses: yaml-parse, as: read}",
      "outputs['p::red'].v",
      [expect.stringContaining('did you mean "p::read"')],
    ],
  ])("after a task: %s", (_, inTask, expression, messages) => {
    expect(check(useTask(expression) + taskNamed("prepare", inTask)).map(({ message }) => message)).toEqual(
      messages,
    );
  });

  it("in a task are read through `task`, and only there", () => {
    const good =
      '- {uses: yaml-parse, as: read}\n- {uses: compose-output, config: {v: "${{ task.outputs.read.v }}"}}';
    const bad = '- {uses: compose-output, config: {v: "${{ task.outputs.read.v }}"}}';
    expect(check(taskNamed("a", good) + taskNamed("b", good, "ClusterPromotionTask"))).toEqual([]);
    expect(check(taskNamed("a", bad))).toMatchObject([{ severity: "error", path: "spec.steps[0].config.v" }]);
    expect(check(withSteps(bad))).toMatchObject([
      { severity: "error", message: expect.stringContaining("only the steps of a task know it") },
    ]);
  });
});

describe("expressions", () => {
  it.each([
    { expression: "1 +", severity: "error", message: /unexpected/i },
    { expression: "quot(1)", severity: "error", message: /unknown function "quot", did you mean "quote"/ },
    { expression: "ctxx.stage", severity: "error", message: /names "ctxx".*did you mean "ctx"/ },
    { expression: "ctxx", severity: "warning", message: /names "ctxx".*did you mean "ctx"/ },
    { expression: "vars.twon", severity: "warning", message: /no variable "twon", did you mean "town"/ },
    {
      expression: "ctx.stge",
      severity: "warning",
      message: /ctx has no "stge", did you mean "stage"/,
    },
    {
      expression: "ctx.targetFreight.images",
      severity: "warning",
      message: /ctx\.targetFreight has no "images"; it has name, alias, origin/,
    },
  ])("$expression is a $severity", ({ expression, severity, message }) => {
    expect(brief(withSteps(`- {uses: compose-output, config: {v: "\${{ ${expression} }}"}}`))).toEqual([
      { severity, path: at(0, "config.v"), message: expect.stringMatching(message) },
    ]);
  });

  it.each(["${{ ctx.stage", "${% 1 }}", "a ${{ 1 }} b ${{ 2"])("without an end are an error: %s", (text) => {
    expect(brief(withSteps(`- {uses: compose-output, config: {v: "${text}"}}`))).toMatchObject([
      { severity: "error", path: at(0, "config.v"), message: expect.stringMatching(/has no (\}\}|%\})/) },
    ]);
  });

  it.each([
    "always() && status('step-1') == 'Succeeded'",
    "filter([1, 2], # > 1)[0] + len(map([{a: 1}], .a))",
    "commitFrom(vars.town).ID | lower()",
    "let v = semverParse('1.2.3'); v.Major",
    "ctx.meta.promotion.actor ?? 'nobody'",
    "secret('db').password",
  ])("that Kargo knows are fine: %s", (expression) => {
    const list = `- uses: yaml-parse\n- uses: compose-output\n  config:\n    v: |-
      \${{ ${expression} }}`;
    expect(check(withSteps(list), { exists: () => true })).toEqual([]);
  });

  it("in variables of the whole promotion cannot see outputs", () => {
    const text =
      warehouse +
      stageNamed(
        "test",
        direct,
        '  vars: [{name: a, value: "${{ outputs.x.y }}"}, {name: b, value: "${{ vars.a + ctx.stage }}"}]',
      );
    expect(brief(text)).toMatchObject([{ severity: "error", path: "spec.vars[0].value" }]);
  });

  it("elsewhere must be readable too", () => {
    const text = `
apiVersion: kargo.akuity.io/v1alpha1
kind: Warehouse
metadata: {name: main, namespace: shop}
spec:
  freightCreationCriteria: {expression: "true &&"}
  subscriptions: [{git: {repoURL: https://g.example/shop, expressionFilter: "author =="}}]
---
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: smoke, namespace: shop}
spec:
  metrics:
  - {name: a, successCondition: "result.ok ==", provider: {web: {url: https://x.example}}}
  - {name: b, successCondition: "result == {{args.wanted}}", provider: {web: {url: https://x.example}}}
---
apiVersion: kargo.akuity.io/v1alpha1
kind: ProjectConfig
metadata: {name: shop, namespace: shop}
spec:
  webhookReceivers:
  - name: any
    generic: {secretRef: {name: s}, actions: [{action: Refresh, whenExpression: "request.header(", targetSelectionCriteria: [{kind: Warehouse, name: "\${{ 1 + }}"}]}]}
`;
    expect(
      brief(text)
        .filter(({ severity }) => severity === "error")
        .map(({ path }) => path),
    ).toEqual([
      "spec.freightCreationCriteria.expression",
      "spec.subscriptions[0].git.expressionFilter",
      "spec.metrics[0].successCondition",
      "spec.webhookReceivers[0].generic.actions[0].whenExpression",
      "spec.webhookReceivers[0].generic.actions[0].targetSelectionCriteria[0].name",
    ]);
  });
});

describe("the graph of stages", () => {
  it.each([
    {
      title: "a line and a diamond are fine",
      stages: [
        ["a", "{direct: true}"],
        ["b", "{stages: [a]}"],
        ["c", "{stages: [a]}"],
        ["d", "{stages: [b, c], availabilityStrategy: All}"],
      ],
      problems: [],
    },
    {
      title: "a circle is named once",
      stages: [
        ["a", "{stages: [c]}"],
        ["b", "{stages: [a]}"],
        ["c", "{stages: [b]}"],
      ],
      problems: [["error", "the stages form a circle for freight of Warehouse/main: a → b → c → a"]],
    },
    {
      title: "a stage cannot wait for itself",
      stages: [["a", "{direct: true, stages: [a]}"]],
      problems: [["error", "the stages form a circle for freight of Warehouse/main: a → a"]],
    },
    {
      title: "behind a circle nothing arrives",
      stages: [
        ["a", "{stages: [b]}"],
        ["b", "{stages: [a]}"],
        ["c", "{stages: [b]}"],
      ],
      problems: [
        ["error", "the stages form a circle for freight of Warehouse/main: a → b → a"],
        ["warning", 'no freight of Warehouse/main can reach stage "c"'],
      ],
    },
    {
      title: "a stage without sources gets nothing",
      stages: [["a", "{}"]],
      problems: [
        [
          "warning",
          'no freight of Warehouse/main can reach stage "a"; give sources.direct or sources.stages',
        ],
      ],
    },
    {
      title: "a stage that needs all of its upstream stages needs each of them to be reached",
      stages: [
        ["a", "{direct: true}"],
        ["b", "{}"],
        ["c", "{stages: [a, b], availabilityStrategy: All}"],
        ["d", "{stages: [a, b]}"],
      ],
      problems: [
        [
          "warning",
          'no freight of Warehouse/main can reach stage "b"; give sources.direct or sources.stages',
        ],
        ["warning", 'no freight of Warehouse/main can reach stage "c"'],
      ],
    },
    {
      title: "a stage whose upstream is not there is given the benefit of the doubt",
      stages: [["b", "{stages: [aa]}"]],
      problems: [["warning", 'Stage "shop/aa" is not there']],
    },
  ])("$title", ({ stages, problems }) => {
    const text =
      warehouse + stages.map(([name = "", sources = ""]) => stageNamed(name, from(sources))).join("");
    expect(check(text).map(({ severity, message }) => [severity, message])).toEqual(problems);
  });

  it("of many layers is looked at in no time, though its ways are beyond number", () => {
    const layers = Array.from({ length: 40 }, (_, layer) => {
      const sources = layer === 0 ? "{}" : `{stages: [a${layer - 1}, b${layer - 1}]}`;
      return stageNamed(`a${layer}`, from(sources)) + stageNamed(`b${layer}`, from(sources));
    });
    expect(check(warehouse + layers.join(""))).toHaveLength(80);
  });

  const other = warehouse.replace("name: main", "name: other");

  it("is one for each Warehouse: going back and forth with different freight is no circle", () => {
    const text =
      warehouse +
      other +
      stageNamed("a", `${direct}, ${from("{stages: [b]}", "other")}`) +
      stageNamed("b", `${from("{stages: [a]}")}, ${from("{direct: true}", "other")}`);
    expect(check(text)).toEqual([]);
  });

  it("warns when the upstream stage never has that freight", () => {
    const text =
      warehouse + other + stageNamed("a", direct) + stageNamed("b", from("{stages: [a]}", "other"));
    expect(check(text).map(({ severity, message }) => [severity, message])).toEqual([
      ["warning", 'no freight of Warehouse/other can reach stage "b"'],
      ["warning", 'stage "a" does not request freight of Warehouse/other, so none can come from it'],
    ]);
  });
});

describe("references to what is not there", () => {
  const text = `${stageNamed(
    "test",
    from("{direct: true}", "mian"),
    `  verification: {analysisTemplates: [{name: smoke}, {name: load, kind: ClusterAnalysisTemplate}]}
  promotionTemplate:
    spec:
      steps:
      - task: {name: deploy}
      - task: {name: notify, kind: ClusterPromotionTask}
      - {uses: compose-output, config: {a: "\${{ secret('db').x }}", b: "\${{ configMap('flags').x }}", c: "\${{ secret(ctx.stage).x }}", d: "\${{ imageFrom('a/b', warehouse('side')).Tag }}"}}`,
  )}
apiVersion: kargo.akuity.io/v1alpha1
kind: ProjectConfig
metadata: {name: shop, namespace: shop}
spec:
  promotionPolicies: [{stageSelector: {name: tset}}, {stageSelector: {name: "glob:prod-*"}}]
  webhookReceivers: [{name: gh, github: {secretRef: {name: hook}}}]
---
apiVersion: ee.kargo.akuity.io/v1alpha1
kind: MessageChannel
metadata: {name: team, namespace: shop}
spec: {slack: {channelID: C1}, secretRef: {name: slack}}
---
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: other, namespace: shop}
spec:
  args: [{name: token, valueFrom: {secretKeyRef: {name: api, key: token}}}, {name: plain, value: x}]
  templates: [{templateName: base}, {templateName: common, clusterScope: true}]
`;
  const missing = [
    'Warehouse "shop/mian" is not there',
    'AnalysisTemplate "shop/smoke" is not there',
    'ClusterAnalysisTemplate "load" is not there',
    'PromotionTask "shop/deploy" is not there',
    'ClusterPromotionTask "notify" is not there',
    'Secret "shop/db" is not there',
    'ConfigMap "shop/flags" is not there',
    'Warehouse "shop/side" is not there',
    'Stage "shop/tset" is not there, did you mean "test"?',
    'Secret "shop/hook" is not there',
    'Secret "shop/slack" is not there',
    'Secret "shop/api" is not there',
    'AnalysisTemplate "shop/base" is not there',
    'ClusterAnalysisTemplate "common" is not there',
  ];

  it("are warnings, since resources may come in any order", () => {
    const problems = check(text);
    expect(problems.map(({ message }) => message)).toEqual(missing);
    expect(new Set(problems.map(({ severity }) => severity))).toEqual(new Set(["warning"]));
  });

  it("are errors when that is asked for", () => {
    expect(new Set(check(text, { strict: true }).map(({ severity }) => severity))).toEqual(
      new Set(["error"]),
    );
  });

  it("are none when the daemon has them", () => {
    const there = new Set(
      missing.map((message) => /^(\w+) "(?:shop\/)?([\w-]+)"/.exec(message)?.slice(1, 3).join(" ")),
    );
    expect(check(text, { exists: ({ kind, name }) => there.has(`${kind} ${name}`) })).toEqual([]);
  });

  it("are not looked for in other projects", () => {
    const elsewhere = warehouse.replace("namespace: shop", "namespace: other");
    expect(check(elsewhere + stageNamed("test", direct))).toMatchObject([
      { message: 'Warehouse "shop/main" is not there' },
    ]);
  });
});

describe("one resource among those that are there", () => {
  const loaded = (text: string) =>
    loadResources([{ file: "f.yaml", text }]).resources.map(({ resource }) => resource);
  const [a, b] = loaded(stageNamed("a", from("{stages: [b]}")) + stageNamed("b", from("{stages: [a]}")));
  const custom = loaded(
    "{apiVersion: ee.kargo.akuity.io/v1alpha1, kind: CustomPromotionStep, metadata: {name: scan}, spec: {image: x}}",
  );
  const [scanning] = loaded(withSteps("- uses: scan").split("---")[1] ?? "");

  it("is refused when it closes a circle", () => {
    expect(errorsOf(a as Resource, { steps, beside: [] })).toEqual([]);
    expect(errorsOf(b as Resource, { steps, beside: [a as Resource] })).toMatchObject([
      { message: expect.stringContaining("a → b → a") },
    ]);
  });

  it("is refused when its steps are not known, and not for what may still come", () => {
    expect(errorsOf(scanning as Resource, { steps, beside: [] })).toMatchObject([
      { message: expect.stringContaining('unknown step kind "scan"') },
    ]);
    expect(errorsOf(scanning as Resource, { steps, beside: custom })).toEqual([]);
  });

  it("takes the place of its earlier self", () => {
    const [cured] = loaded(stageNamed("a", direct));
    expect(errorsOf(cured as Resource, { steps, beside: [a as Resource, b as Resource] })).toEqual([]);
  });
});
