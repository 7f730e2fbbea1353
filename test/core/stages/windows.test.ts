import { afterEach, describe, expect, it } from "vitest";
import type { PromotionWindow } from "#core/resources/promotion-window.ts";
import type { Resource } from "#core/resources/resource.ts";
import { keys } from "#core/stages/keys.ts";
import {
  autoPromote,
  createWorld,
  direct,
  freight,
  stage,
  type World,
} from "#test/core/stages/stage-world.ts";

const kargo = "kargo.akuity.io/v1alpha1";
let world: World;
afterEach(() => world?.close());

const open = async (...args: Parameters<typeof createWorld>) => {
  world = await createWorld(...args);
  return world;
};

/** The world begins on 2030-01-02 at 03:04:05 UTC. */
const deny = (window: Partial<PromotionWindow> = {}): PromotionWindow => ({
  name: "night",
  kind: "Deny",
  rrule: "FREQ=DAILY",
  dtstart: "20300101T030000Z",
  dtend: "20300101T040000Z",
  ...window,
});
const settings = (...promotionWindows: PromotionWindow[]): Resource => ({
  ...autoPromote(),
  spec: { ...(autoPromote().spec as object), promotionWindows },
});
const shared = (...promotionWindows: PromotionWindow[]): Resource => ({
  apiVersion: kargo,
  kind: "ClusterConfig",
  metadata: { name: "cluster" },
  spec: { promotionWindows },
});
const minutes = 60;

describe("promotion windows", () => {
  it("keep auto-promotion waiting until they open, for the newest freight", async () => {
    const { add, promoted, getStage, advance } = await open([
      settings(deny()),
      stage("test", [direct]),
      freight("f1"),
    ]);
    expect((await getStage("test")).status).toMatchObject({
      autoPromotionEnabled: true,
      promotionWindowStatus: {
        closed: true,
        reason: 'window "night" denies it',
        nextOpen: "2030-01-02T04:00:00Z",
      },
    });
    await add(freight("f2", { discoveredAt: "2030-01-02T03:30:00Z" }));
    expect(await promoted("test")).toEqual([]);
    await advance(56 * minutes);
    expect(await promoted("test")).toEqual(["f2"]);
    expect((await getStage("test")).status?.promotionWindowStatus).toEqual({
      closed: false,
      nextClose: "2030-01-03T03:00:00Z",
      nextCloseReason: 'window "night" denies it',
    });
  });

  it("refuse promotions by hand, unless a reason is given, which is recorded", async () => {
    const { promote, operations, project, promotions, finish, rest, events } = await open([
      shared(deny()),
      stage("test", [direct]),
      freight("f1"),
    ]);
    await expect(promote("test", "f1")).rejects.toThrow(
      'Cannot promote to Stage "test" now: window "night" denies it, until 2030-01-02T04:00:00Z',
    );
    const windowOverride = "the shop is down";
    await operations.promote({ project, stage: "test", freight: "f1", actor: "admin", windowOverride });
    await rest();
    const [promotion] = await promotions("test");
    expect(promotion?.metadata.annotations).toMatchObject({ [keys.windowOverride]: windowOverride });
    expect(await events()).toContain(`PromotionWindowOverridden ${promotion?.metadata.name}`);
    expect(await world.store.audit({ project })).toMatchObject([
      { action: "PromotionWindowOverridden", actor: "admin", message: windowOverride },
    ]);
    await finish("test");
    expect((await promotions("test"))[0]?.status?.phase).toBe("Succeeded");
  });

  it("discard what waits when they close, and let what runs come to its end", async () => {
    const later = deny({ dtstart: "20300102T031000Z", dtend: "20300102T040000Z" });
    const { promote, begin, finish, promotions, events, advance, getStage } = await open([
      { ...settings(later), spec: { promotionWindows: [later] } },
      stage("test", [direct]),
      freight("f1"),
      freight("f2"),
    ]);
    await promote("test", "f1");
    const { metadata } = await promote("test", "f2");
    await begin("test");
    await advance(7 * minutes);
    expect((await promotions("test")).map(({ spec }) => spec.freight)).toEqual(["f1"]);
    expect(await events()).toContain(`PromotionDiscarded ${metadata.name}`);
    await finish("test");
    expect((await getStage("test")).status).toMatchObject({
      freightSummary: "f1",
      promotionWindowStatus: { closed: true },
    });
    expect((await getStage("test")).status).not.toHaveProperty("currentPromotion");
  });

  it.each<{ name: string; window: Partial<PromotionWindow>; closed: boolean | undefined }>([
    { name: "another stage", window: { stageSelector: { name: "prod" } }, closed: undefined },
    { name: "stages like this", window: { stageSelector: { name: "glob:te*" } }, closed: true },
    {
      name: "stages with its label",
      window: { stageSelector: { matchLabels: { tier: "one" } } },
      closed: true,
    },
    { name: "its project", window: { projectSelector: { name: "regex:^sh" } }, closed: true },
    { name: "another project", window: { projectSelector: { name: "yard" } }, closed: undefined },
    {
      name: "projects with its label",
      window: { projectSelector: { matchLabels: { team: "a" } } },
      closed: true,
    },
    {
      name: "projects with another",
      window: { projectSelector: { matchLabels: { team: "b" } } },
      closed: undefined,
    },
    { name: "nobody, since it cannot be read", window: { dtstart: "soon" }, closed: true },
  ])("of the installation that are for $name count accordingly", async ({ window, closed }) => {
    const labelled = stage("test", [direct]);
    labelled.metadata.labels = { tier: "one" };
    const project = { apiVersion: kargo, kind: "Project", metadata: { name: "shop", labels: { team: "a" } } };
    const { getStage } = await open([shared(deny(window)), labelled, project]);
    expect((await getStage("test")).status?.promotionWindowStatus?.closed).toBe(closed);
  });

  it("are looked at again when the settings change", async () => {
    const { store, rest, getStage } = await open([shared(deny()), stage("test", [direct])]);
    await store.write([{ op: "update", resource: shared() }]);
    await rest();
    expect((await getStage("test")).status).not.toHaveProperty("promotionWindowStatus");
  });
});
