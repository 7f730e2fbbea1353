import { describe, expect, it } from "vitest";
import { findAll, parseJsonPath } from "#core/metrics/json-path.ts";
import type { Condition } from "#core/resources/condition.ts";
import type { FreightStatus, VerificationInfo } from "#core/resources/freight.ts";
import type { ProjectConfig, PromotionPolicy } from "#core/resources/project-config.ts";
import type { FreightRequest } from "#core/resources/stage.ts";
import { findPolicy, selectCandidates } from "#core/stages/auto-promotion.ts";
import { isFreightAvailable, nextSoakEnd } from "#core/stages/availability.ts";
import { setCondition } from "#core/stages/conditions.ts";
import { enter, leave, longestSoak, takeBackVerification, verify } from "#core/stages/freight-status.ts";
import { verificationRequest } from "#core/stages/verification/requests.ts";
import { verifiedCondition } from "#core/stages/verification/verified-condition.ts";
import { autoPromote, direct, freight, request, stage, verifiedIn } from "#test/core/stages/stage-world.ts";

const now = new Date("2030-01-02T12:00:00Z");
const hoursAgo = (hours: number) => new Date(now.getTime() - hours * 3_600_000).toISOString();

/** Freight that was verified in these stages, and for how many hours it has been in them. */
const status = (hours: Record<string, number | undefined>, more: FreightStatus = {}): FreightStatus => ({
  verifiedIn: Object.fromEntries(Object.keys(hours).map((name) => [name, { verifiedAt: hoursAgo(100) }])),
  currentlyIn: Object.fromEntries(
    Object.entries(hours).flatMap(([name, since]) =>
      since === undefined ? [] : [[name, { since: hoursAgo(since) }]],
    ),
  ),
  ...more,
});

describe("freight is available to a stage", () => {
  const soaked = (hours: string, ...stages: string[]) => request({ stages, requiredSoakTime: hours });
  const all = (...stages: string[]) => request({ stages, availabilityStrategy: "All" });
  const approved: FreightStatus = { approvedFor: { prod: { approvedAt: hoursAgo(1) } } };

  it.each<{ when: string; takes: FreightRequest; has?: FreightStatus; is: boolean }>([
    { when: "it comes directly", takes: direct, is: true },
    {
      when: "it is verified upstream",
      takes: verifiedIn("test"),
      has: status({ test: undefined }),
      is: true,
    },
    { when: "it is not verified upstream", takes: verifiedIn("test"), is: false },
    {
      when: "it is verified somewhere else",
      takes: verifiedIn("test"),
      has: status({ other: 5 }),
      is: false,
    },
    {
      when: "it is in the upstream stage unverified",
      takes: verifiedIn("test"),
      has: { currentlyIn: { test: {} } },
      is: false,
    },
    { when: "one of several verified it", takes: verifiedIn("a", "b"), has: status({ b: 1 }), is: true },
    {
      when: "all must have verified it, and have",
      takes: all("a", "b"),
      has: status({ a: 1, b: 1, c: 1 }),
      is: true,
    },
    {
      when: "all must have verified it, and one has not",
      takes: all("a", "b"),
      has: status({ a: 1 }),
      is: false,
    },
    { when: "it is approved", takes: verifiedIn("test"), has: approved, is: true },
    {
      when: "it is approved though all must have verified it",
      takes: all("a", "b"),
      has: approved,
      is: true,
    },
    {
      when: "it is approved before it has soaked",
      takes: soaked("5h", "test"),
      has: { ...status({ test: 1 }), ...approved },
      is: true,
    },
    {
      when: "it is approved for another stage",
      takes: verifiedIn("test"),
      has: { approvedFor: { qa: { approvedAt: hoursAgo(1) } } },
      is: false,
    },
    { when: "it has soaked long enough", takes: soaked("2h", "test"), has: status({ test: 2 }), is: true },
    {
      when: "it has not soaked long enough",
      takes: soaked("2h", "test"),
      has: status({ test: 1.9 }),
      is: false,
    },
    {
      when: "it had soaked long enough before it left",
      takes: soaked("2h", "test"),
      has: { verifiedIn: { test: { verifiedAt: hoursAgo(9), longestSoak: "2h0m0s" } } },
      is: true,
    },
    {
      when: "it left too early and is back too short",
      takes: soaked("2h", "test"),
      has: status({ test: 1 }, { verifiedIn: { test: { verifiedAt: hoursAgo(9), longestSoak: "1h30m" } } }),
      is: false,
    },
    {
      when: "one has soaked it, another verified it",
      takes: request({ stages: ["a", "b"], requiredSoakTime: "2h" }),
      has: status({ a: 3, b: undefined }),
      is: true,
    },
    {
      when: "all must have soaked it, and one has not",
      takes: request({ stages: ["a", "b"], requiredSoakTime: "2h", availabilityStrategy: "All" }),
      has: status({ a: 3, b: 1 }),
      is: false,
    },
    { when: "it is of another origin", takes: request({ direct: true }, "config"), is: false },
  ])("when $when: $is", ({ takes, has, is }) => {
    expect(isFreightAvailable(stage("prod", [takes]), freight("f", { status: has }), now)).toBe(is);
  });

  it("never to a stage of another project", () => {
    const foreign = freight("f");
    foreign.metadata.namespace = "bakery";
    expect(isFreightAvailable(stage("prod", [direct]), foreign, now)).toBe(false);
  });

  it("from the time on that its soak ends", () => {
    const prod = stage("prod", [soaked("4h", "a", "b")]);
    const pieces = [
      freight("f", { status: status({ a: 1, b: 3 }) }),
      freight("g", { status: status({ a: 9 }) }),
    ];
    expect(nextSoakEnd(prod, pieces, now)).toEqual(new Date("2030-01-02T13:00:00Z"));
    expect(nextSoakEnd(stage("prod", [verifiedIn("a")]), pieces, now)).toBeUndefined();
  });
});

describe("a piece of freight", () => {
  const later = new Date(now.getTime() + 90_500);

  it("soaks from the time it enters, and keeps its longest stay once it has left", () => {
    const there = verify(enter({}, "test", now), "test", hoursAgo(0));
    expect(longestSoak(freight("f", { status: there }), "test", later)).toBe(90_500);
    const gone = leave(there, "test", later);
    expect(gone).toEqual({
      currentlyIn: {},
      verifiedIn: { test: { verifiedAt: hoursAgo(0), longestSoak: "1m30.5s" } },
    });
    const back = leave(enter(gone, "test", later), "test", new Date(later.getTime() + 1000));
    expect(back.verifiedIn?.test?.longestSoak).toBe("1m30.5s");
  });

  it("has not soaked where it was not verified", () => {
    const there = enter({}, "test", now);
    expect(longestSoak(freight("f", { status: there }), "test", later)).toBe(0);
    expect(leave(there, "test", later)).toEqual({ currentlyIn: {} });
  });

  it("stays as it is when nothing changes", () => {
    const there = verify(enter({}, "test", now), "test", hoursAgo(0));
    expect(enter(there, "test", later)).toBe(there);
    expect(verify(there, "test", hoursAgo(5))).toBe(there);
    expect(leave(there, "other", later)).toBe(there);
    expect(takeBackVerification(there, "other")).toBe(there);
  });
});

describe("auto-promotion is on", () => {
  const on = (policy: PromotionPolicy): PromotionPolicy => ({ autoPromotionEnabled: true, ...policy });

  it.each<{ by: string; policies: PromotionPolicy[]; is: boolean | undefined }>([
    { by: "no policy", policies: [], is: undefined },
    { by: "its name", policies: [on({ stageSelector: { name: "prod-eu" } })], is: true },
    { by: "its name, as it used to be written", policies: [on({ stage: "prod-eu" })], is: true },
    { by: "another's name", policies: [on({ stageSelector: { name: "prod" } })], is: undefined },
    { by: "a glob", policies: [on({ stageSelector: { name: "glob:prod-*" } })], is: true },
    {
      by: "a glob of alternatives",
      policies: [on({ stageSelector: { name: "glob:{test,prod}-e?" } })],
      is: true,
    },
    {
      by: "a glob that does not fit",
      policies: [on({ stageSelector: { name: "glob:prod" } })],
      is: undefined,
    },
    {
      by: "a regular expression",
      policies: [on({ stageSelector: { name: "regex:^prod-(eu|us)$" } })],
      is: true,
    },
    {
      by: "a regular expression, spelled longer",
      policies: [on({ stageSelector: { name: "regexp:od-e" } })],
      is: true,
    },
    { by: "labels", policies: [on({ stageSelector: { matchLabels: { tier: "one" } } })], is: true },
    {
      by: "other labels",
      policies: [on({ stageSelector: { matchLabels: { tier: "two" } } })],
      is: undefined,
    },
    {
      by: "a requirement",
      policies: [
        on({ stageSelector: { matchExpressions: [{ key: "tier", operator: "NotIn", values: ["two"] }] } }),
      ],
      is: true,
    },
    {
      by: "name and labels",
      policies: [on({ stageSelector: { name: "glob:prod-*", matchLabels: { tier: "two" } } })],
      is: undefined,
    },
    { by: "a policy for all", policies: [on({ stageSelector: {} })], is: true },
    {
      by: "the first that is for it",
      policies: [
        { stageSelector: { name: "prod-eu" }, autoPromotionEnabled: false },
        on({ stageSelector: {} }),
      ],
      is: false,
    },
  ])("by $by: $is", ({ policies, is }) => {
    const config = autoPromote(...policies) as ProjectConfig;
    if (policies.length === 0) config.spec = {};
    const prod = stage("prod-eu", [direct]);
    prod.metadata.labels = { tier: "one" };
    expect(findPolicy(config, prod)?.autoPromotionEnabled).toBe(is);
  });

  it("by no policy that cannot be read", () => {
    const config = autoPromote(on({ stageSelector: { name: "regex:(" } })) as ProjectConfig;
    expect(() => findPolicy(config, stage("prod", [direct]))).toThrow("missing closing )");
  });
});

describe("auto-promotion chooses", () => {
  const at = (name: string, discoveredAt: string, warehouse = "app") =>
    freight(name, { discoveredAt, warehouse });

  it("of each origin the newest, and of those of one second what was made last", () => {
    const prod = stage("prod", [direct, request({ direct: true }, "config")]);
    const candidates = selectCandidates(prod, [
      at("b", "2030-01-02T00:00:00Z"),
      at("a", "2030-01-02T00:00:00Z"),
      at("z", "2030-01-01T00:00:00Z"),
      at("c", "2030-01-01T00:00:00Z", "config"),
    ]);
    expect([...candidates].map(([origin, { metadata }]) => [origin, metadata.name])).toEqual([
      ["Warehouse/app", "a"],
      ["Warehouse/config", "c"],
    ]);
  });

  it("nothing while the upstream stage that it follows seems to hold two", () => {
    const follow = request({ stages: ["test"], autoPromotionOptions: { selectionPolicy: "MatchUpstream" } });
    const choice = [at("a", "2030-01-02T00:00:00Z"), at("b", "2030-01-01T00:00:00Z")];
    expect(selectCandidates(stage("prod", [follow]), choice).size).toBe(0);
    expect(selectCandidates(stage("prod", [follow]), choice.slice(1)).size).toBe(1);
  });
});

describe('the condition "Verified"', () => {
  const of = (...phases: VerificationInfo["phase"][]) =>
    verifiedCondition({ id: "x", verificationHistory: phases.map((phase) => ({ phase, message: "why" })) });

  it.each([
    { history: [], gives: undefined },
    { history: ["Pending"], gives: { status: "Unknown", reason: "VerificationPending" } },
    { history: ["Running"], gives: { status: "Unknown", reason: "VerificationRunning" } },
    { history: ["Successful"], gives: { status: "True", reason: "Verified" } },
    { history: ["Failed"], gives: { status: "False", reason: "VerificationFailed", message: "why" } },
    { history: ["Error"], gives: { status: "False", reason: "VerificationError", message: "why" } },
    { history: ["Aborted"], gives: { status: "False", reason: "VerificationAborted" } },
    { history: ["Inconclusive"], gives: { status: "Unknown", reason: "VerificationInconclusive" } },
    { history: ["Running", "Successful"], gives: { status: "True", reason: "Verified" } },
    { history: ["Error", "Successful"], gives: { status: "True", reason: "Verified" } },
    { history: ["Failed", "Successful"], gives: { status: "False", reason: "VerificationFailed" } },
    { history: ["Error", "Failed", "Successful"], gives: { status: "False", reason: "VerificationError" } },
    { history: ["Successful", "Failed"], gives: { status: "True", reason: "Verified" } },
  ] as const)("after $history, newest first, is $gives.status", ({ history, gives }) => {
    if (gives === undefined) expect(of(...history)).toBeUndefined();
    else expect(of(...history)).toMatchObject(gives);
  });
});

describe("a condition", () => {
  const ready = { type: "Ready", status: "True", reason: "Verified", message: "" } as const;
  const later = new Date(now.getTime() + 60_000);

  it("keeps its time while its status is the same, and gets a new one when that changes", () => {
    const status: { conditions?: Condition[] } = {};
    setCondition(status, ready, now);
    setCondition(status, { ...ready, reason: "StillVerified" }, later);
    expect(status.conditions).toMatchObject([
      { reason: "StillVerified", lastTransitionTime: "2030-01-02T12:00:00Z" },
    ]);
    setCondition(status, { ...ready, status: "False" }, later);
    expect(status.conditions).toMatchObject([
      { status: "False", lastTransitionTime: "2030-01-02T12:01:00Z" },
    ]);
  });
});

describe("a request for a verification", () => {
  it.each([
    { written: undefined, gives: undefined },
    { written: "some-id", gives: { id: "some-id" } },
    {
      written: '{"id":"some-id","actor":"admin","controlPlane":true}',
      gives: { id: "some-id", actor: "admin", controlPlane: true },
    },
    { written: '{"actor":"admin"}', gives: undefined },
    { written: "12", gives: undefined },
    { written: "", gives: undefined },
  ])("that says $written is $gives", ({ written, gives }) => {
    expect(
      verificationRequest({ annotations: written === undefined ? {} : { key: written } }, "key"),
    ).toEqual(gives);
  });
});

describe("JSONPath", () => {
  const data = {
    ok: true,
    "odd.name": 1,
    list: [10, 20, 30],
    items: [
      { name: "web", up: true, load: 0.5 },
      { name: "db", up: false, load: 0.9, deep: { name: "inner" } },
    ],
  };

  it.each<{ path: string; finds: unknown[] }>([
    { path: "{$}", finds: [data] },
    { path: "{$.ok}", finds: [true] },
    { path: "{.ok}", finds: [true] },
    { path: "ok", finds: [true] },
    { path: "{ $.list[0] }", finds: [10] },
    { path: "{$.list[-1]}", finds: [30] },
    { path: "{$.list[1:]}", finds: [20, 30] },
    { path: "{$.list[:2]}", finds: [10, 20] },
    { path: "{$.list[0:3:2]}", finds: [10, 30] },
    { path: "{$.list[0,2]}", finds: [10, 30] },
    { path: "{$.list[*]}", finds: [10, 20, 30] },
    { path: "{$['odd.name']}", finds: [1] },
    { path: "{$.odd\\.name}", finds: [1] },
    { path: "{$.items[*].name}", finds: ["web", "db"] },
    { path: "{$.items.*.up}", finds: [true, false] },
    { path: '{$.items[?(@.name=="db")].up}', finds: [false] },
    { path: "{$.items[?(@.load > 0.6)].name}", finds: ["db"] },
    { path: "{$.items[?(@.deep)].name}", finds: ["db"] },
    { path: "{$.items[?(@.deep.name == 'inner')].name}", finds: ["db"] },
    { path: "{$.items[?(@.up!=true)]['name','load']}", finds: ["db", 0.9] },
  ])("$path", ({ path, finds }) => {
    expect(findAll(parseJsonPath(path), data)).toEqual(finds);
  });

  it("finds names at any depth", () => {
    const nested = { a: { name: 1, b: [{ name: 2 }] }, name: 0 };
    const named = findAll(parseJsonPath("{$..name}"), nested);
    expect(named).toEqual([0, 1, 2]);
  });

  it.each([
    { path: "{$.missing}", says: "missing is not found" },
    { path: "{$.list[9]}", says: "array index out of bounds" },
    { path: "{$.ok.deep}", says: "deep is not found" },
  ])("$path leads nowhere", ({ path, says }) => {
    expect(() => findAll(parseJsonPath(path), data)).toThrow(says);
  });

  it.each(["{$.[}", "{$.list[]}", "{$.list[a]}", "{$.a b}"])("%s is none", (path) => {
    expect(() => parseJsonPath(path)).toThrow("Cannot read the JSONPath");
  });
});
