import { report, timed } from "#bench/lib/figures.ts";
import {
  freight,
  listFreight,
  projectResource,
  promote,
  stage,
  startWorld,
  untilOver,
  warehouse,
} from "#bench/lib/world.ts";

const stages = 50;
const promotionsEach = 4;
const repoURL = "https://git.example.com/app.git";

/** Promotions a second through many stages at once; each has five steps. */
export async function benchThroughput(): Promise<void> {
  await using world = await startWorld();
  const steps = Array.from({ length: 5 }, (_, n) => ({
    uses: "compose-output",
    as: `s${n}`,
    config: { value: "x" },
  }));
  const names = Array.from({ length: stages }, (_, n) => `stage-${n}`);
  await world.apply(
    projectResource(),
    warehouse(repoURL),
    ...names.map((name) => stage(name, steps)),
    freight(repoURL, "1".repeat(40)),
  );
  const [piece] = await listFreight(world.client);
  const total = stages * promotionsEach;
  const took = await timed(async () => {
    for (let round = 0; round < promotionsEach; round++) {
      await Promise.all(names.map((name) => promote(world.client, name, piece?.metadata.name ?? "")));
    }
    await untilOver(world.client, total);
  });
  report(
    `promotions through ${stages} stages at once (5 steps each)`,
    `${((total / took) * 1000).toFixed(0)} a second`,
  );
}
