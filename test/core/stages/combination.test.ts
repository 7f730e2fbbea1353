import { afterEach, describe, expect, it } from "vitest";
import type { Stage } from "#core/resources/stage.ts";
import { keys } from "#core/stages/keys.ts";
import {
  autoPromote,
  createWorld,
  freight,
  request,
  stage,
  type World,
  warehouse,
} from "#test/core/stages/stage-world.ts";

let world: World;
afterEach(() => world?.close());

const both = (sources: Parameters<typeof request>[0]) => [request(sources), request(sources, "config")];
const pieces = [
  freight("a1"),
  freight("a2", { discoveredAt: "2030-01-02T00:00:00Z" }),
  freight("c1", { warehouse: "config" }),
  freight("c2", { warehouse: "config", discoveredAt: "2030-01-02T00:00:00Z" }),
];

function combining(name: string, ...upstream: string[]): Stage {
  const made = stage(name, both({ stages: upstream }));
  made.metadata.annotations = { [keys.autoPromotion]: "combination" };
  return made;
}

async function open(...resources: Parameters<typeof createWorld>[0]): Promise<World> {
  world = await createWorld([
    warehouse("config"),
    stage("test", both({ direct: true })),
    ...pieces,
    ...resources,
  ]);
  return world;
}

async function bring(...names: string[]): Promise<void> {
  for (const name of names) {
    await world.promote("test", name);
    await world.finish("test");
  }
}

const held = async (name: string) =>
  Object.values((await world.getStage(name)).status?.freightHistory?.[0]?.items ?? {})
    .map((item) => item.name)
    .sort();
const promoteAll = async (actor = "admin") => {
  const created = await world.operations.promote({
    project: "shop",
    stage: "prod",
    fromStage: "test",
    actor,
  });
  await world.rest();
  return created;
};

describe("all that a stage holds, promoted as one", () => {
  it("comes to the next stage in one promotion, in place of all that was there", async () => {
    const { finish, promotions, getFreight } = await open(stage("prod", both({ stages: ["test"] })));
    await bring("a1", "c1");
    await promoteAll();
    await finish("prod");
    expect(await held("prod")).toEqual(["a1", "c1"]);
    expect(await promotions("prod")).toHaveLength(1);
    await bring("a2", "c2");
    await promoteAll();
    await finish("prod");
    expect(await held("prod")).toEqual(["a2", "c2"]);
    expect((await getFreight("c2")).status).toMatchObject({
      currentlyIn: { prod: {} },
      verifiedIn: { prod: {} },
    });
    expect((await getFreight("c1")).status?.currentlyIn).not.toHaveProperty("prod");
  });

  it("is what the next stage requests of it, one piece being as good as any", async () => {
    const { finish, promotions } = await open(stage("prod", [request({ stages: ["test"] }, "config")]));
    await bring("a1", "c1");
    await promoteAll();
    await finish("prod");
    expect(await held("prod")).toEqual(["c1"]);
    expect((await promotions("prod"))[0]?.metadata.annotations).not.toHaveProperty("towpath.dev/freight-set");
  });

  it.each([
    { name: "nothing is there", before: [], stages: ["test"], says: 'Stage "test" holds no freight' },
    {
      name: "it may not have all",
      before: ["a1", "c1"],
      stages: ["qa"],
      says: 'Freight "a1" is not available',
    },
  ])("is refused when $name", async ({ before, stages, says }) => {
    await open(stage("qa", both({ direct: true })), stage("prod", both({ stages })));
    await bring(...before);
    await expect(promoteAll()).rejects.toThrow(says);
  });

  it("is refused while it is not verified as it is, though each piece was verified in other company", async () => {
    const { begin, promote } = await open(stage("prod", both({ stages: ["test"] })));
    await bring("a1", "c1", "a2", "c2");
    const test = await world.getStage("test");
    const [now] = test.status?.freightHistory ?? [];
    delete now?.verificationHistory;
    await promote("test", "a1");
    await begin("test");
    await world.store.write([
      { op: "status", ref: { kind: "Stage", project: "shop", name: "test" }, status: test.status },
    ]);
    await expect(promoteAll()).rejects.toThrow('What Stage "test" holds is not verified there as it is');
  });
});

describe("auto-promotion of a combination", () => {
  const auto = autoPromote({ autoPromotionEnabled: true, stageSelector: { name: "prod" } });

  it("follows what the upstream stage holds, never a mixture", async () => {
    const { finish, promotions } = await open(auto, combining("prod", "test"));
    await bring("a1", "c1");
    // Each change of the upstream stage is a combination of its own; the first had one piece.
    while ((await promotions("prod")).some(({ status }) => status?.finishedAt === undefined))
      await finish("prod");
    expect(await held("prod")).toEqual(["a1", "c1"]);
    await bring("a2");
    await finish("prod");
    expect(await held("prod")).toEqual(["a2", "c1"]);
    await bring("a1");
    await finish("prod");
    expect(await held("prod")).toEqual(["a1", "c1"]);
    expect(await promotions("prod")).toHaveLength(4);
  });

  it("rests for all of it when somebody promotes another, and goes on when they promote what it would", async () => {
    const { finish, getStage, promoted, promote } = await open(auto, combining("prod", "test"));
    await bring("a1", "c1");
    while ((await getStage("prod")).status?.currentPromotion) await finish("prod");
    await bring("a2");
    await finish("prod");
    await promote("prod", "a1");
    await finish("prod");
    expect(Object.keys((await getStage("prod")).status?.autoPromotionHolds ?? {})).toEqual(["Warehouse/app"]);
    const count = (await promoted("prod")).length;
    await bring("c2");
    expect(await promoted("prod")).toHaveLength(count);
    await promoteAll();
    await finish("prod");
    expect((await getStage("prod")).status).not.toHaveProperty("autoPromotionHolds");
    expect(await held("prod")).toEqual(["a2", "c2"]);
  });

  it("does not try again what failed, but what comes after it", async () => {
    const { finish, promotions, rest } = await open(auto, combining("prod", "test"));
    await bring("a1");
    await finish("prod", "Failed");
    await rest();
    expect(await promotions("prod")).toHaveLength(1);
    await bring("c1");
    expect(await promotions("prod")).toHaveLength(2);
  });

  it("says what is wrong with a stage that takes freight from several", async () => {
    const { condition } = await open(
      auto,
      stage("qa", both({ direct: true })),
      combining("prod", "test", "qa"),
    );
    expect(await condition("prod", "Ready")).toMatchObject({
      reason: "ReconcileError",
      message: expect.stringContaining("must name one upstream stage"),
    });
  });
});
