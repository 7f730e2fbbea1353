import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StatementSync } from "node:sqlite";
import { PassThrough } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { median, milliseconds, report } from "#bench/lib/figures.ts";
import {
  apply,
  freight,
  listFreight,
  project,
  projectResource,
  promote,
  stage,
  warehouse,
} from "#bench/lib/world.ts";
import { type ApiClient, apiPath, createApiClient } from "#cli/api-client.ts";
import type { Gate } from "#core/promotion/gates.ts";
import { startDaemon } from "#server/daemon.ts";

const count = 1000;
const restSeconds = 10;
const releasedOneByOne = 200;
const repoURL = "https://git.example.com/app.git";
const token = "a-token-for-the-bench-0123456789";

/** A thousand gates open at once: what waiting costs, and how soon a release is felt. */
export async function benchGates(): Promise<void> {
  await using world = await openWorld();
  const { client, arrivals } = world;
  await openGates(world);
  const gates = await listGates(client);

  await untilQuiet();
  const statements = await statementsDuring(() => sleep(restSeconds * 1000));
  const before = memory();
  await sleep(restSeconds * 1000);
  const grown = memory() - before;
  report(
    `statements in ${restSeconds} s while ${gates.length} gates wait`,
    String(statements),
    "of SQLite; polling would show",
  );
  report(
    `memory after ${restSeconds} s more of waiting`,
    `${grown.toFixed(1)} MiB`,
    `of ${before.toFixed(0)} MiB in all`,
  );

  const floors: number[] = [];
  for (let n = 0; n < releasedOneByOne; n++)
    floors.push(await felt(arrivals, `floor-${n}`, () => fetch(`${world.sink}/floor-${n}`)));
  const [first, ...others] = gates.slice(0, releasedOneByOne) as [Gate, ...Gate[]];
  const forOne = await statementsDuring(() => releaseAndFeel(world, first));
  report("statements of one release, up to the step after it", String(forOne));
  const felts: number[] = [];
  for (const gate of others) felts.push(await releaseAndFeel(world, gate));
  const sorted = felts.toSorted((one, other) => one - other);
  report(
    "from a release to the step after the gate, median",
    milliseconds(median(felts)),
    `${(median(felts) / median(floors)).toFixed(0)}x a bare HTTP call (${milliseconds(median(floors))})`,
  );
  report("the same, 99 of 100", milliseconds(sorted[Math.floor(sorted.length * 0.99)] as number));

  const rest = gates.slice(releasedOneByOne);
  const start = performance.now();
  await Promise.all(rest.map((gate) => releaseAndFeel(world, gate)));
  const took = performance.now() - start;
  report(
    `${rest.length} releases at once`,
    milliseconds(took),
    `${((rest.length / took) * 1000).toFixed(0)} a second`,
  );
}

/** Where the step after each gate calls, by the path that it calls. */
type Arrivals = Map<string, () => void>;

interface GateWorld extends AsyncDisposable {
  client: ApiClient;
  sink: string;
  arrivals: Arrivals;
}

/** A daemon in this process, so that its statements can be counted, and a server that the steps call. */
async function openWorld(): Promise<GateWorld> {
  const folder = await mkdtemp(join(tmpdir(), "towpath-bench-"));
  const arrivals: Arrivals = new Map();
  const server = createServer((request, response) => {
    arrivals.get((request.url ?? "").slice(1))?.();
    response.end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const daemon = await startDaemon({
    data: join(folder, "data"),
    host: "127.0.0.1",
    port: 0,
    allowNet: [`127.0.0.1:${port}`],
    env: { TOWPATH_TOKEN: token },
    logTo: new PassThrough().resume(),
  });
  return {
    client: createApiClient({ server: daemon.url, token }),
    sink: `http://127.0.0.1:${port}`,
    arrivals,
    async [Symbol.asyncDispose]() {
      await daemon.stop();
      server.closeAllConnections();
      server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A stage for each gate: one promotion at a time runs to a stage. */
async function openGates({ client, sink }: GateWorld): Promise<void> {
  const steps = [
    { uses: "gate", as: "ask" },
    { uses: "http", as: "told", config: { url: `${sink}/\${{ ctx.stage }}` } },
  ];
  const names = Array.from({ length: count }, (_, n) => `stage-${n}`);
  await apply(client, [
    projectResource(),
    warehouse(repoURL),
    ...names.map((name) => stage(name, steps)),
    freight(repoURL, "1".repeat(40)),
  ]);
  const [piece] = await listFreight(client);
  for (let from = 0; from < count; from += 50) {
    const some = names.slice(from, from + 50);
    await Promise.all(some.map((name) => promote(client, name, piece?.metadata.name ?? "")));
  }
  while ((await listGates(client)).length < count) await sleep(250);
}

async function listGates(client: ApiClient): Promise<Gate[]> {
  return (await client.request<{ items: Gate[] }>(apiPath("projects", project, "gates"))).items;
}

/** From the call that releases the gate to the call of the step behind it, in milliseconds. */
function releaseAndFeel(
  { client, arrivals }: GateWorld,
  { promotion, step, stage: name }: Gate,
): Promise<number> {
  const path = apiPath("projects", project, "gates", promotion, step, "release");
  return felt(arrivals, name, () => client.request(path, { method: "POST", body: {} }));
}

async function felt(arrivals: Arrivals, name: string, act: () => Promise<unknown>): Promise<number> {
  const { promise: arrived, resolve } = Promise.withResolvers<void>();
  arrivals.set(name, resolve);
  const start = performance.now();
  const [, took] = await Promise.all([act(), arrived.then(() => performance.now() - start)]);
  return took;
}

/** What the promotions left to do elsewhere is no part of waiting; polling would never end. */
async function untilQuiet(): Promise<void> {
  for (let tries = 0; tries < 30; tries++) {
    if ((await statementsDuring(() => sleep(2000))) === 0) return;
  }
}

/** How many SQL statements this process runs meanwhile. */
async function statementsDuring(work: () => Promise<unknown>): Promise<number> {
  let seen = 0;
  const methods = ["get", "all", "run", "iterate"] as const;
  const originals = methods.map((name) => StatementSync.prototype[name]);
  for (const [index, name] of methods.entries()) {
    const original = originals[index] as (...values: unknown[]) => unknown;
    Object.assign(StatementSync.prototype, {
      [name](this: StatementSync, ...values: unknown[]) {
        seen++;
        return original.apply(this, values);
      },
    });
  }
  try {
    await work();
  } finally {
    for (const [index, name] of methods.entries()) {
      Object.assign(StatementSync.prototype, { [name]: originals[index] });
    }
  }
  return seen;
}

/** Of the process, daemon and bench together, in MiB. */
function memory(): number {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 1024 ** 2;
}
