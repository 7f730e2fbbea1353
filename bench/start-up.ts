import { readFileSync } from "node:fs";
import { join } from "node:path";
import { median, milliseconds, report, timed } from "#bench/lib/figures.ts";
import { freight, kargo, project, projectResource, stage, startWorld, warehouse } from "#bench/lib/world.ts";
import { startDaemon } from "#cli/daemon-process.ts";

const promotions = 10_000;
const starts = 5;
const repoURL = "https://git.example.com/app.git";

/** The start of the daemon, empty and with a past, beside the start of Node itself; and what it holds when idle. */
export async function benchStartUp(): Promise<void> {
  const floor = await medianOf(() => startAndEndNode());
  await using world = await startWorld();
  await world.daemon.stop();
  const data = join(world.folder, "data");
  const empty = await medianOf(() => startAndStop(data));

  const daemon = await startDaemon({ data });
  report(
    "resident memory, idle",
    `${(residentBytes(daemon.pid) / 2 ** 20).toFixed(0)} MB`,
    "aim: under 150 MB",
  );
  await daemon.stop();

  await fillStore(data);
  const full = await medianOf(() => startAndStop(data));
  report(
    "start of the daemon, empty store",
    milliseconds(empty),
    `${(empty / floor).toFixed(1)}x the start of node`,
  );
  report(
    `start of the daemon, ${promotions} promotions`,
    milliseconds(full),
    `${(full / empty).toFixed(2)}x the empty store`,
  );
  report("  start and end of node (floor)", milliseconds(floor));
}

/** Writes finished promotions past the API: through it they would be run. */
async function fillStore(data: string): Promise<void> {
  const { createCipher } = await import("#core/credentials/cipher.ts");
  const { loadOrCreateKey } = await import("#core/credentials/key.ts");
  const { openSqliteStore } = await import("#core/store/sqlite.ts");
  const store = await openSqliteStore({
    file: join(data, "towpath.db"),
    cipher: createCipher(loadOrCreateKey({ folder: data })),
  });
  const others = [
    projectResource(),
    warehouse(repoURL),
    stage("past", [{ uses: "fail" }]),
    freight(repoURL, "1".repeat(40)),
  ];
  await store.write(others.map((resource) => ({ op: "create", resource: resource as never })));
  for (let from = 0; from < promotions; from += 1000) {
    await store.write(
      Array.from({ length: 1000 }, (_, n) => ({ op: "create", resource: finished(from + n) as never })),
    );
  }
  await store.close();
}

function finished(n: number) {
  const at = new Date(Date.UTC(2030, 0, 1) + n * 1000).toISOString();
  return {
    apiVersion: kargo,
    kind: "Promotion",
    metadata: { name: `past.${String(n).padStart(26, "0")}.abcdef0`, namespace: project },
    spec: { stage: "past", freight: "1".repeat(40), steps: [{ uses: "compose-output", as: "step-0" }] },
    status: {
      phase: "Succeeded",
      startedAt: at,
      finishedAt: at,
      stepExecutionMetadata: [{ alias: "step-0", status: "Succeeded", startedAt: at, finishedAt: at }],
    },
  };
}

async function startAndStop(data: string): Promise<number> {
  let daemon: Awaited<ReturnType<typeof startDaemon>> | undefined;
  const took = await timed(async () => {
    daemon = await startDaemon({ data });
  });
  await daemon?.stop();
  return took;
}

async function startAndEndNode(): Promise<number> {
  const { execFileSync } = await import("node:child_process");
  return timed(() => execFileSync(process.execPath, ["-e", ""]));
}

async function medianOf(measure: () => Promise<number>): Promise<number> {
  const figures: number[] = [];
  for (let count = 0; count < starts; count++) figures.push(await measure());
  return median(figures);
}

function residentBytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kilobytes) * 1024;
}
