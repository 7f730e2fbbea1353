import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { StepFailure } from "#core/failure.ts";
import { createKeyedLock } from "#core/keyed-lock.ts";
import { createPromotionReconciler } from "#core/promotion/reconciler.ts";
import { createWorkFolders } from "#core/promotion/work-folders.ts";
import type { Promotion } from "#core/resources/promotion.ts";
import type { Resource, ResourceRef } from "#core/resources/resource.ts";
import { defineStep, succeeded, waiting } from "#core/step.ts";
import type { Store, Write } from "#core/store/store.ts";
import { StoreError } from "#core/store/store-error.ts";
import { createInProcessRunner } from "#runners/in-process.ts";
import { builtinStepKinds } from "#runners/step-kinds.ts";
import { openTestStore, testClock, testFolder, testServices } from "./support.ts";

/** What the steps do to a world that no crash resets. */
interface World {
  effects: string[];
  polls: number;
  flakes: number;
}

const anything = z.record(z.string(), z.unknown());

function steps(world: World) {
  const common = { summary: "A step.", config: anything, output: anything, examples: [] };
  return [
    defineStep({
      ...common,
      name: "effect",
      async run(_, ctx) {
        const result = await ctx.once("effect", async () => {
          world.effects.push(ctx.alias);
          return { number: world.effects.length };
        });
        await ctx.workspace.write(
          "seen.txt",
          `${(await ctx.workspace.exists("seen.txt")) ? await ctx.workspace.readText("seen.txt") : ""}.`,
        );
        return succeeded(result);
      },
    }),
    defineStep({
      ...common,
      name: "polls",
      async run() {
        world.polls += 1;
        return world.polls < 3 ? waiting("polling", 1) : succeeded();
      },
    }),
    defineStep({
      ...common,
      name: "flaky",
      async run() {
        world.flakes += 1;
        if (world.flakes < 3) throw new StepFailure("transient", "503");
        return succeeded();
      },
    }),
    defineStep({
      ...common,
      name: "reads",
      async run(config, ctx) {
        return succeeded({ ...config, seen: (await ctx.workspace.readText("seen.txt")).length > 0 });
      },
    }),
  ];
}

const promotionSteps = [
  { uses: "effect", as: "one" },
  { uses: "effect", as: "skipped", if: "${{ false }}" },
  { uses: "polls", as: "poll" },
  { uses: "flaky", as: "flaky" },
  { uses: "effect", as: "two" },
  {
    uses: "reads",
    as: "read",
    config: { one: "${{ outputs.one.number }}", two: "${{ outputs.two.number }}" },
  },
];

const ref: ResourceRef = { kind: "Promotion", project: "shop", name: "test.01.abc" };
/** The end of a daemon; `at` is what it was writing. */
class Crash extends StoreError {
  readonly at: string;

  constructor(at: string) {
    super("unreadable", "killed");
    this.at = at;
  }
}

/** The store of a daemon that is killed at its nth write: just before the disk has it, or just after. */
function killedAt(store: Store, n: number, when: "before" | "after"): Store {
  let left = n;
  let last = "";
  const crash = () => new Crash(last);
  const counting = async <T>(what: string, write: () => Promise<T>): Promise<T> => {
    if (left < 0) throw crash();
    left -= 1;
    last = what;
    if (left >= 0) return write();
    if (when === "after") await write();
    throw crash();
  };
  return {
    ...store,
    get: async (wanted) => {
      if (left < 0) throw crash();
      return store.get(wanted);
    },
    write: (writes: readonly Write[], options) =>
      counting(writes[0]?.op ?? "nothing", () => store.write(writes, options)),
    forgetJournal: (scope) => counting("forget", () => store.forgetJournal(scope)),
  };
}

async function seed(store: Store): Promise<void> {
  const apiVersion = "kargo.akuity.io/v1alpha1";
  const origin = { kind: "Warehouse", name: "main" };
  const resources = [
    {
      kind: "Stage",
      metadata: { name: "test", namespace: "shop" },
      spec: { requestedFreight: [{ origin, sources: { direct: true } }] },
      status: { currentPromotion: { name: ref.name } },
    },
    { kind: "Freight", metadata: { name: "abc", namespace: "shop" }, origin },
    {
      kind: "Promotion",
      metadata: { name: ref.name, namespace: "shop" },
      spec: { stage: "test", freight: "abc", steps: promotionSteps },
    },
  ];
  await store.write(resources.map((one) => ({ op: "create", resource: { apiVersion, ...one } as Resource })));
}

/** One life of a daemon. Returns "done" when it came to the promotion's end, or what it was writing when it was killed. */
async function live(
  file: string,
  root: string,
  world: World,
  kill?: { at: number; when: "before" | "after" },
): Promise<string> {
  const clock = testClock();
  const disk = await openTestStore(file, clock.now);
  const store = kill === undefined ? disk : killedAt(disk, kill.at, kill.when);
  const services = await testServices(store, {}, { now: clock.now });
  const definitions = steps(world);
  const runner = createInProcessRunner(definitions, {
    store,
    credentialsFor: () => ({ find: async () => undefined }),
    fetchWith: () => () => Promise.reject(new Error("no network")),
    lock: createKeyedLock(),
    cacheFolder: join(root, "cache"),
    now: clock.now,
  });
  const reconciler = createPromotionReconciler({
    ...services,
    kinds: builtinStepKinds(definitions, runner),
    folders: createWorkFolders(join(root, "work")),
    isFreightAvailable: () => true,
    uiBaseUrl: "",
    onError: () => undefined,
  });
  try {
    for (const due of (await reconciler.initial?.()) ?? []) {
      let next: { requeueAfterSeconds?: number } | undefined = { requeueAfterSeconds: 0 };
      while (next !== undefined) {
        clock.passes(next.requeueAfterSeconds ?? 0);
        next = await reconciler.reconcile(due, new AbortController().signal);
      }
    }
    return "done";
  } catch (error) {
    if (error instanceof Crash) return error.at;
    throw error;
  } finally {
    reconciler.close();
    await disk.close();
  }
}

async function outcome(file: string) {
  const store = await openTestStore(file);
  const promotion = (await store.get(ref)) as Promotion;
  await store.close();
  const { phase, state, stepExecutionMetadata } = promotion.status ?? {};
  return {
    phase,
    state,
    steps: stepExecutionMetadata?.map(({ alias, status, errorCount }) => ({ alias, status, errorCount })),
  };
}

describe("a daemon that is killed", () => {
  const writesOfWholeLife = 16;
  const moments = Array.from({ length: writesOfWholeLife }, (_, at) => at).flatMap((at) => [
    { at, when: "before" as const },
    { at, when: "after" as const },
  ]);

  it.each(moments)("at write $at, $when it is on disk, goes on as if nothing had happened", async (kill) => {
    const root = await testFolder();
    const file = join(root, "store.db");
    const disk = await openTestStore(file);
    await seed(disk);
    await disk.close();

    const world: World = { effects: [], polls: 0, flakes: 0 };
    const killed = await live(file, root, world, kill);
    expect(await live(file, root, world)).toBe("done");

    expect(await outcome(file)).toEqual({
      phase: "Succeeded",
      state: {
        one: { number: expect.any(Number) },
        poll: {},
        flaky: {},
        two: { number: world.effects.length },
        read: { one: expect.any(Number), two: world.effects.length, seen: true },
      },
      steps: [
        { alias: "one", status: "Succeeded" },
        { alias: "skipped", status: "Skipped" },
        { alias: "poll", status: "Succeeded" },
        { alias: "flaky", status: "Succeeded" },
        { alias: "two", status: "Succeeded" },
        { alias: "read", status: "Succeeded" },
      ],
    });
    // Only between an effect and its entry in the journal can a crash make it happen again.
    expect(world.effects.length - 2).toBe(killed === "journal" && kill.when === "before" ? 1 : 0);
    expect(await createWorkFolders(join(root, "work")).list()).toEqual([]);
  });
});
