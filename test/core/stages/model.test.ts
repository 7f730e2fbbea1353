import fc from "fast-check";
import { expect, it } from "vitest";
import type { Resource } from "#core/resources/resource.ts";
import type { FreightRequest } from "#core/resources/stage.ts";
import type { FreezeScope } from "#core/stages/freeze.ts";
import { type ModelStage, StageModel } from "#test/core/stages/stage-model.ts";
import {
  autoPromote,
  createWorld,
  freight,
  request,
  stage,
  type World,
} from "#test/core/stages/stage-world.ts";

/** Each run is a pipeline with a life of its own; `STAGE_RUNS=5000 STAGE_SEED=2` lets more of them live, and others. */
const numRuns = Number(process.env.STAGE_RUNS ?? 200);
const seed = Number(process.env.STAGE_SEED ?? 1);

const pipelines = fc
  .array(
    fc.record({
      direct: fc.boolean(),
      upstream: fc.uniqueArray(fc.nat(4), { maxLength: 2 }),
      all: fc.boolean(),
      auto: fc.boolean(),
      passage: fc.boolean(),
      verifies: fc.boolean(),
    }),
    { minLength: 1, maxLength: 5 },
  )
  .map((sketches): ModelStage[] =>
    sketches.map(({ upstream, passage, auto, ...sketch }, index) => {
      const names = upstream.filter((one) => one < index).map((one) => `stage-${one}`);
      return {
        ...sketch,
        name: `stage-${index}`,
        upstream: names,
        direct: sketch.direct || names.length === 0,
        passage: passage && index > 0,
        auto,
      };
    }),
  );

const commands = fc.array(
  fc.record({
    kind: fc.constantFrom(
      ...([
        "freight",
        "promote",
        "succeed",
        "succeed",
        "succeed",
        "fail",
        "begin",
        "begin",
        "abort",
        "approve",
        "freeze",
        "unfreeze",
        "restart",
        "judge",
        "judge",
        "reverify",
        "look",
      ] as const),
    ),
    stage: fc.nat(),
    freight: fc.nat(),
  }),
  // Long lives: a verification that fails the second time has a long way behind it.
  { minLength: 1, maxLength: 40, size: "max" },
);

type Command = typeof commands extends fc.Arbitrary<(infer C)[]> ? C : never;

const requestOf = ({ direct, upstream, all }: ModelStage): FreightRequest =>
  request(direct ? { direct } : { stages: upstream, availabilityStrategy: all ? "All" : "OneOf" });

const smoke: Resource = {
  apiVersion: "argoproj.io/v1alpha1",
  kind: "AnalysisTemplate",
  metadata: { name: "smoke", namespace: "shop" },
  spec: { metrics: [{ name: "m", provider: { web: { url: "http://x" } } }] },
};

async function perform(world: World, model: StageModel, command: Command): Promise<void> {
  const { stages } = model;
  const chosen = stages[command.stage % stages.length] as ModelStage;
  const piece = model.freight[command.freight % Math.max(1, model.freight.length)];
  /** A stage that the command means something to, so that few commands of a life are idle. */
  const pick = (fits: (stage: ModelStage) => boolean): string | undefined => {
    const fitting = stages.filter(fits);
    return fitting[command.stage % Math.max(1, fitting.length)]?.name;
  };
  switch (command.kind) {
    case "freight": {
      const name = `f${model.freight.length}`;
      const discoveredAt = new Date(Date.UTC(2029, 0, 1 + model.freight.length)).toISOString();
      await world.add(freight(name, { discoveredAt }));
      model.add(name);
      return;
    }
    case "promote":
      if (piece === undefined || chosen.passage) return;
      if (!model.isAvailable(chosen, piece)) {
        await expect(world.promote(chosen.name, piece)).rejects.toThrow("is not available");
        return;
      }
      await world.promote(chosen.name, piece);
      model.promote(chosen, piece);
      return;
    case "approve":
      if (piece === undefined) return;
      await world.operations.approveFreight({
        project: world.project,
        stage: chosen.name,
        freight: piece,
        actor: "admin",
      });
      await world.rest();
      model.approve(chosen, piece);
      return;
    case "succeed":
    case "fail": {
      const name = pick((stage) => model.current(stage.name) !== undefined);
      const current = name === undefined ? undefined : model.current(name);
      if (name === undefined || current === undefined) return;
      const phase = command.kind === "succeed" ? "Succeeded" : "Failed";
      await world.finish(name, phase);
      model.finish(current, phase);
      return;
    }
    case "abort": {
      const name = pick((stage) => model.active(stage.name).length > 0);
      const active = name === undefined ? [] : model.active(name);
      const at = command.freight % Math.max(1, active.length);
      const promotion = active[at];
      if (name === undefined || promotion === undefined) return;
      const real = (await world.promotions(name)).filter(({ status }) => status?.finishedAt === undefined);
      await world.abort(real[at]?.metadata.name ?? "");
      model.finish(promotion, "Aborted");
      return;
    }
    case "begin": {
      const name = pick((stage) => model.current(stage.name)?.phase === "Pending");
      const current = name === undefined ? undefined : model.current(name);
      if (name === undefined || current === undefined) return;
      await world.begin(name);
      current.phase = "Running";
      return;
    }
    case "freeze":
    case "unfreeze": {
      const { project } = world;
      const scopes: [string, FreezeScope][] = [
        [chosen.name, { project, stage: chosen.name }],
        ["project", { project }],
        ["everything", {}],
      ];
      const [name, scope] = scopes[command.freight % scopes.length] as [string, FreezeScope];
      if (command.kind === "freeze") {
        await world.freezes.freeze({ ...scope, reason: "incident", actor: "admin" });
        model.freeze(name);
      } else if (model.frozen.has(name)) {
        await world.freezes.unfreeze({ ...scope, actor: "admin" });
        model.unfreeze(name);
      } else {
        await expect(world.freezes.unfreeze({ ...scope, actor: "admin" })).rejects.toThrow("no freeze");
      }
      await world.rest();
      return;
    }
    case "judge": {
      const name = pick((stage) => model.isVerifying(stage.name));
      if (name === undefined) return;
      const outcomes = ["Successful", "Failed", "Error"] as const;
      const outcome = outcomes[command.freight % outcomes.length] ?? "Error";
      await world.judge(name, outcome);
      model.judge(name, outcome);
      return;
    }
    case "reverify": {
      // While a promotion has its turn, the request waits, and is void once that has brought something else.
      const name = pick(
        (stage) =>
          stage.verifies &&
          !stage.passage &&
          model.held.has(stage.name) &&
          model.isHealthy(stage.name) &&
          !model.isVerifying(stage.name) &&
          model.current(stage.name) === undefined,
      );
      if (name === undefined) return;
      await world.operations.reverify({ project: world.project, stage: name, actor: "admin" });
      await world.rest();
      model.reverify(name);
      return;
    }
    case "restart":
      await world.restart();
      return;
    case "look":
      // Looking once more, at everything, changes nothing.
      for (const { name } of stages) world.scheduler.enqueue({ kind: "Stage", project: world.project, name });
      await world.rest();
      return;
    default:
      command.kind satisfies never;
  }
}

/** What both must agree on after each command. */
async function compare(world: World, model: StageModel): Promise<void> {
  for (const { name, passage } of model.stages) {
    const { status } = await world.getStage(name);
    const promotions = await world.promotions(name);
    expect(promotions.map(({ spec, status }) => `${spec.freight} ${status?.phase ?? "Pending"}`)).toEqual(
      model.promotions.filter((one) => one.stage === name).map(({ freight, phase }) => `${freight} ${phase}`),
    );
    if (passage) continue;
    const held = Object.values(status?.freightHistory?.[0]?.items ?? {}).map((one) => one.name);
    expect(held).toEqual([model.held.get(name)].filter((one) => one !== undefined));
    const current = promotions.find(({ metadata }) => metadata.name === status?.currentPromotion?.name);
    expect(current?.spec.freight).toBe(model.current(name)?.freight);
  }
  for (const name of model.freight) {
    const { verifiedIn = {}, currentlyIn = {} } = (await world.getFreight(name)).status ?? {};
    const stages = model.stages.map((one) => one.name);
    expect(Object.keys(verifiedIn).sort()).toEqual(
      stages.filter((one) => model.verified.has(`${name} ${one}`)),
    );
    expect(Object.keys(currentlyIn).sort()).toEqual(stages.filter((one) => model.held.get(one) === name));
  }
}

it("any pipeline lives by the rules, whatever happens to it", async () => {
  await fc.assert(
    fc.asyncProperty(pipelines, commands, async (stages, life) => {
      const model = new StageModel(stages);
      const policies = stages.map(({ name, auto }) => ({
        stageSelector: { name },
        autoPromotionEnabled: auto,
      }));
      const resources = stages.map((one) =>
        stage(one.name, [requestOf(one)], {
          ...(one.passage ? { promotionTemplate: undefined } : {}),
          ...(one.verifies ? { verification: { analysisTemplates: [{ name: "smoke" }] } } : {}),
        }),
      );
      const world = await createWorld([autoPromote(...policies), smoke, ...resources]);
      try {
        for (const command of life) {
          await perform(world, model, command);
          await compare(world, model);
        }
      } finally {
        await world.close();
      }
    }),
    { numRuns, seed },
  );
}, 300_000);
