import type { MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { Promotion } from "#core/resources/promotion.ts";
import type { ResourceChange } from "#core/store/store.ts";
import type { Api } from "#server/api/api.ts";
import { systemNamespace } from "#server/api/namespaces.ts";
import type { Route, ServerEnv } from "#server/route.ts";

/** What the server counts for Prometheus. */
export function createMetrics(api: Pick<Api, "gates" | "streams">) {
  const registers = [new Registry()];
  const [registry] = registers as [Registry];
  collectDefaultMetrics({ register: registry });
  const requests = new Histogram({
    name: "towpath_http_request_duration_seconds",
    help: "Time until a request was answered, by route.",
    labelNames: ["method", "route", "status"] as const,
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10],
    registers,
  });
  const promotions = new Counter({
    name: "towpath_promotions_ended_total",
    help: "Promotions that ended, by how.",
    labelNames: ["project", "stage", "phase"] as const,
    registers,
  });
  new Gauge({
    name: "towpath_event_streams",
    help: "Server-sent event streams that are open.",
    registers,
    collect() {
      this.set(api.streams.count);
    },
  });
  new Gauge({
    name: "towpath_gates_open",
    help: "Gates that wait for an answer.",
    registers,
    async collect() {
      this.set((await api.gates.list()).length);
    },
  });
  const ended = new Set<string>();

  return {
    registry,

    /** Measures a request by its route's pattern: paths as they come would make labels without end. */
    measure: (async (c, next) => {
      const end = requests.startTimer({ method: c.req.method });
      await next();
      end({ route: routePath(c, -1), status: c.res.status });
    }) satisfies MiddlewareHandler<ServerEnv>,

    /** Counts each promotion once, when it has ended. */
    observe({ resource, type }: ResourceChange): void {
      if (resource.kind !== "Promotion") return;
      const { metadata, spec, status } = resource as Promotion;
      const uid = metadata.uid ?? "";
      if (type === "DELETED") ended.delete(uid);
      if (type !== "MODIFIED" || status?.finishedAt === undefined || ended.has(uid)) return;
      ended.add(uid);
      promotions.inc({ project: metadata.namespace ?? "", stage: spec.stage, phase: status.phase ?? "" });
    },
  };
}

export type Metrics = ReturnType<typeof createMetrics>;

export const metricsRoutes = (api: Api, { registry }: Metrics): Route[] => [
  {
    method: "GET",
    path: "/metrics",
    id: "Metrics",
    summary: "Tell Prometheus how the daemon fares",
    needs: "view",
    owner: systemNamespace,
    answers: { 200: "Prometheus' text format." },
    handle: async (c) => {
      c.header("Content-Type", registry.contentType);
      const rest = (await api.metrics?.()) ?? "";
      return c.body((await registry.metrics()) + rest);
    },
  },
];
