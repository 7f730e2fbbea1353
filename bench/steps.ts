import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { median, milliseconds, report } from "#bench/lib/figures.ts";
import {
  freight,
  listFreight,
  projectResource,
  promote,
  stage,
  startWorld,
  untilOver,
  type World,
  warehouse,
} from "#bench/lib/world.ts";

const stepCount = 100;
const rounds = 5;
const repoURL = "https://git.example.com/app.git";

/** The engine's time for a step that does nothing, against two writes to SQLite that are synced to disk. */
export async function benchSteps(): Promise<void> {
  await using world = await startWorld();
  const steps = Array.from({ length: stepCount }, (_, n) => ({
    uses: "compose-output",
    as: `compose-${n}`,
    config: { value: `${n}` },
  }));
  await world.apply(
    projectResource(),
    warehouse(repoURL),
    stage("steps", steps),
    freight(repoURL, "1".repeat(40)),
  );
  const [piece] = await listFreight(world.client);
  const perStep: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    await promote(world.client, "steps", piece?.metadata.name ?? "");
    const last = (await untilOver(world.client, round)).at(-1);
    const { startedAt = "", finishedAt = "" } = last?.status ?? {};
    perStep.push((Date.parse(finishedAt) - Date.parse(startedAt)) / stepCount);
  }
  const floor = twoSyncedWrites(world);
  const ratio = (median(perStep) / floor).toFixed(2);
  report(
    `a step of a ${stepCount}-step promotion`,
    milliseconds(median(perStep)),
    `${ratio}x two synced writes`,
  );
  report("  two synced writes to SQLite (floor)", milliseconds(floor));
}

/** The median over many pairs of small writes, on the same disk and with the daemon's own settings. */
function twoSyncedWrites({ folder }: World): number {
  const db = new DatabaseSync(join(folder, "floor.db"));
  db.exec(
    "pragma journal_mode = wal; pragma synchronous = full; create table t (id integer primary key, value text)",
  );
  const insert = db.prepare("insert into t (value) values (?)");
  const value = "x".repeat(2000);
  const pairs = Array.from({ length: 500 }, () => {
    const start = performance.now();
    insert.run(value);
    insert.run(value);
    return performance.now() - start;
  });
  db.close();
  return median(pairs);
}
