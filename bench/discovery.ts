import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { median, milliseconds, report, timed } from "#bench/lib/figures.ts";
import { type DiscoveryDeps, discover } from "#core/artifacts/discovery.ts";
import { createDiscoveryParts } from "#core/artifacts/discovery-parts.ts";
import { createFetch } from "#core/egress/fetch.ts";
import { createEgressPolicy } from "#core/egress/policy.ts";
import { WarehouseSpec } from "#core/resources/warehouse.ts";

const intervalMs = 300_000;
const warehouses = 500;
const repositories = 50;
const rounds = 60;

/** Requests, time and memory of Warehouses that look when nothing is new. */
export async function benchDiscovery(): Promise<void> {
  for (const tags of [1_000, 10_000]) await benchTags(tags);
  await benchWarehouses();
}

async function benchTags(tags: number): Promise<void> {
  await using registry = await startRegistry(tags);
  const { look, pass } = watching();
  const subscription = { image: { repoURL: `${registry.host}/shop/web` } };
  await look(subscription);
  const figures: number[] = [];
  let most = 0;
  let before = 0;
  for (let round = 0; round < rounds; round++) {
    // The first looks fill memory that later ones use again.
    if (round === rounds / 2) before = liveBytes();
    pass(intervalMs + 1);
    const requests = registry.requests();
    figures.push(await timed(() => look(subscription)));
    most = Math.max(most, registry.requests() - requests);
  }
  const grownKilobytes = (liveBytes() - before) / 1024;
  report(
    `${tags} tags, nothing new`,
    `${most} requests`,
    `aim: at most 2; ${milliseconds(median(figures))} a look`,
  );
  report(
    `  memory in use after ${rounds / 2} more looks`,
    `${grownKilobytes >= 0 ? "+" : ""}${grownKilobytes.toFixed(0)} kB`,
    `aim: flat; ${(liveBytes() / 2 ** 20).toFixed(0)} MB in all`,
  );
}

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** What is in use once the garbage is gone. */
function liveBytes(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

async function benchWarehouses(): Promise<void> {
  await using registry = await startRegistry(100);
  const { look, pass } = watching();
  const all = Array.from({ length: warehouses }, (_, at) => ({
    image: { repoURL: `${registry.host}/shop/web-${at % repositories}` },
  }));
  await Promise.all(all.map(look));
  pass(intervalMs + 1);
  const before = registry.requests();
  const spent = await timed(() => Promise.all(all.map(look)));
  report(
    `${warehouses} Warehouses, ${repositories} repositories of one registry`,
    `${registry.requests() - before} requests an interval`,
    `aim: at most ${repositories}; ${milliseconds(spent)}`,
  );
}

/** Discovery with a clock that is moved by hand. */
function watching() {
  const clock = { now: Date.now() };
  const parts = createDiscoveryParts({
    fetch: createFetch({ policy: createEgressPolicy({ allow: ["127.0.0.1"] }) }),
    registryRequestsPerSecond: 100_000,
    now: () => new Date(clock.now),
  });
  const noGit = undefined as unknown as DiscoveryDeps["git"];
  const deps: DiscoveryDeps = {
    ...parts,
    git: noGit,
    credentials: { find: async () => undefined },
    matches: async () => true,
    signal: undefined,
  };
  return {
    pass: (milliseconds: number) => {
      clock.now += milliseconds;
    },
    look: async (subscription: { image: { repoURL: string } }) => {
      const { subscriptions } = WarehouseSpec.parse({ subscriptions: [subscription] });
      const { reports } = await discover({ subscriptions }, deps, { key: "", maxAgeMs: intervalMs });
      const failure = reports.find((one) => one.failure !== undefined)?.failure;
      if (failure !== undefined) throw failure;
    },
  };
}

/** A registry in which every repository has the same tags. */
async function startRegistry(tags: number) {
  let count = 0;
  const list = JSON.stringify({ tags: Array.from({ length: tags }, (_, at) => `1.0.${at}`) });
  const type = "application/vnd.oci.image.manifest.v1+json";
  const manifest = JSON.stringify({ schemaVersion: 2, mediaType: type, config: { digest: "sha256:00" } });
  const digest = `sha256:${createHash("sha256").update(manifest).digest("hex")}`;
  const server = createServer((request, response) => {
    count++;
    if (request.url?.includes("/tags/list")) return response.end(list);
    response.setHeader("content-type", type);
    response.setHeader("docker-content-digest", digest);
    return response.end(request.method === "HEAD" ? undefined : manifest);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: () => count,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
