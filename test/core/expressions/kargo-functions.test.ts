import { describe, expect, it } from "vitest";
import { dataFunctions, freightFunctions, utilityFunctions } from "#core/expressions/kargo-functions.ts";
import type { FreightReference } from "#core/resources/freight.ts";
import type { Resource } from "#core/resources/resource.ts";
import type { FreightRequest } from "#core/resources/stage.ts";
import { fails, holds, type Row, sandboxForFile } from "./support.ts";

const expressions = sandboxForFile();

const generic = { "kargo.akuity.io/cred-type": "generic" };
const base64 = (text: string) => Buffer.from(text).toString("base64");
const resource = (kind: string, namespace: string, name: string, rest: object, labels = {}) =>
  ({ apiVersion: "v1", kind, metadata: { name, namespace, labels }, ...rest }) as Resource;

const resources = [
  resource("ConfigMap", "harbour", "settings", { data: { region: "north" } }),
  resource("ConfigMap", "kargo-shared-resources", "settings", { data: { region: "everywhere" } }),
  resource("Secret", "harbour", "crane", { data: { token: base64("hook-line") } }),
  resource("Secret", "kargo-shared-resources", "crane", { data: { token: base64("shared-line") } }, generic),
  resource(
    "Secret",
    "kargo-shared-resources",
    "git",
    { data: { password: base64("git-line") } },
    { "kargo.akuity.io/cred-type": "git" },
  ),
  resource("Freight", "harbour", "f1", {
    status: {
      metadata: { grade: "A", nested: { n: 1 } },
      approvedFor: { prod: { approvedAt: "2024-05-05T00:00:00Z" } },
    },
  }),
  resource("Freight", "harbour", "f2", { status: {} }),
  resource("Stage", "harbour", "quay", { status: { metadata: { berth: 7 } } }),
  resource("Warehouse", "harbour", "web", {
    spec: {
      subscriptions: [
        { git: { repoURL: "https://git.example/web.git" } },
        { image: { repoURL: "reg.example/web" } },
        { chart: { repoURL: "https://charts.example", name: "web" } },
      ],
    },
  }),
  resource("Warehouse", "harbour", "base", {
    spec: {
      subscriptions: [{ image: { repoURL: "reg.example/base" } }, { image: { repoURL: "reg.example/both" } }],
    },
  }),
  resource("Warehouse", "harbour", "other", {
    spec: { subscriptions: [{ image: { repoURL: "reg.example/both" } }] },
  }),
];

const lookup = {
  get: async (ref: { kind: string; project?: string; name: string }) =>
    resources.find(
      ({ kind, metadata }) =>
        kind === ref.kind && metadata.name === ref.name && metadata.namespace === ref.project,
    ),
};

const origin = (name: string) => ({ kind: "Warehouse" as const, name });
const freight = [
  {
    name: "f1",
    origin: origin("web"),
    commits: [{ repoURL: "https://git.example/web", id: "c0ffee", tag: "v1.2.3", message: "Load the barge" }],
    images: [
      { repoURL: "reg.example/web", tag: "1.2.3", digest: "sha256:1", annotations: { built: "today" } },
    ],
    charts: [{ repoURL: "https://charts.example", name: "web", version: "0.3.0" }],
  },
  { name: "f2", origin: origin("base"), images: [{ repoURL: "reg.example/both", tag: "b" }] },
  { name: "f3", origin: origin("other"), images: [{ repoURL: "reg.example/both", tag: "o" }] },
] as FreightReference[];
const freightRequests = ["web", "base", "other"].map((name) => ({
  origin: origin(name),
})) as FreightRequest[];

const seen: string[] = [];
const functions = {
  ...dataFunctions(lookup, { project: "harbour", mask: (secret) => seen.push(secret) }),
  ...freightFunctions(lookup, { project: "harbour", freightRequests, freight }),
  ...utilityFunctions,
};

const rows: readonly Row[] = [
  ["configMap('settings').region", '"north"'],
  ["configMap('absent')", "{}"],
  ["configMap('settings').absent", '""'],
  ["configMap('settings').absent ?? 'default'", '""'],
  ["sharedConfigMap('settings').region", '"everywhere"'],
  ["secret('crane').token", '"hook-line"'],
  ["sharedSecret('crane').token", '"shared-line"'],
  ["sharedSecret('git')", "{}"],
  ["freightMetadata('f1').grade", '"A"'],
  ["freightMetadata('f1')?.nested?.n", "1"],
  ["freightMetadata('f2')", "null"],
  ["freightMetadata('absent')?.grade ?? 'none'", '"none"'],
  ["freightMetadata('')", fails("must not be empty")],
  ["freightStatus('f1').approvedFor?.prod?.approvedAt != nil", "true"],
  ["stageMetadata('quay')['berth'] + 1", "8"],
  ["stageMetadata('absent')", "null"],

  ["warehouse('web')", '{"kind":"Warehouse","name":"web"}'],
  ["warehouse('')", fails("name must not be empty")],
  ["commitFrom('https://git.example/web.git').ID", '"c0ffee"'],
  [
    "commitFrom('https://git.example/web')",
    '{"repoURL":"https://git.example/web","id":"c0ffee","tag":"v1.2.3","message":"Load the barge"}',
  ],
  ["commitFrom('https://git.example/none')", "null"],
  ["commitFrom('https://git.example/none')?.ID", "null"],
  ["commitFrom('https://git.example/web').Id", fails("has no field Id, did you mean ID?")],
  ["imageFrom('reg.example/web').Annotations.built", '"today"'],
  ["imageFrom('reg.example/both')", fails("multiple requested Freight")],
  ["imageFrom('reg.example/both', warehouse('other')).Tag", '"o"'],
  ["imageFrom('reg.example/both', warehouse('nobody'))", "null"],
  ["imageFrom('a', 'b')", fails("cannot use string as argument")],
  ["chartFrom('https://charts.example', 'web').Version", '"0.3.0"'],
  ["chartFrom('https://charts.example', 'web', warehouse('web')).Version", '"0.3.0"'],
  ["chartFrom('https://charts.example', warehouse('web'))", "null"],
  ["chartFrom('https://charts.example')", fails("not found in referenced Freight")],

  ["semverParse('v1.2.3').IncMinor().String()", '"1.3.0"'],
  ["semverParse('1.2.3-rc.1+build')", '"1.2.3-rc.1+build"'],
  ["semverParse('1.2').Major() + semverParse('1.2').Minor()", "3"],
  ["semverParse('1.2.3-rc.1').Prerelease() + semverParse('1.2.3+m').Metadata()", '"rc.1m"'],
  ["semverParse('1.2.3').IncPatch().LessThan(semverParse('2.0.0'))", fails("has no method LessThan")],
  ["semverParse('1.10.0').GreaterThan(semverParse('1.9.0'))", "true"],
  ["semverParse('one')", fails("invalid semantic version")],
  [
    "map([['1.0.0', '2.0.0'], ['1.0.0', '1.1.0'], ['1.0.0', '1.0.1'], ['1.0.0', '1.0.0+a'], ['1.0', 'v1.0.0'], ['x', '1.0.0']], semverDiff(#[0], #[1]))",
    '["Major","Minor","Patch","Metadata","None","Incomparable"]',
  ],
];

describe("Kargo's functions", () => {
  it.each(rows)("%s gives %o", async (...row) => {
    await holds(expressions(), row as unknown as Row, {}, functions);
  });

  it("tell the masker every value of a Secret that they read", async () => {
    seen.length = 0;
    await expressions().evaluate("secret('crane').token + sharedSecret('crane').token", {
      env: {},
      functions,
    });
    expect(seen.toSorted()).toEqual(["hook-line", "shared-line"]);
  });
});
