import { afterAll, afterEach, beforeAll } from "vitest";
import { createCipher } from "#core/credentials/cipher.ts";
import { createMasker } from "#core/credentials/masker.ts";
import { createFetch } from "#core/egress/fetch.ts";
import { createEgressPolicy } from "#core/egress/policy.ts";
import { createExpressions, type Expressions } from "#core/expressions/expressions.ts";
import type { AnalysisRun, Measurement } from "#core/resources/analysis-run.ts";
import type { Metric } from "#core/resources/analysis-template.ts";
import type { Resource } from "#core/resources/resource.ts";
import type { AnalysisJobs } from "#core/stages/verification/jobs/jobs.ts";
import { createAnalysisRunReconciler } from "#core/stages/verification/run-reconciler.ts";
import { openSqliteStore } from "#core/store/sqlite.ts";
import type { Store } from "#core/store/store.ts";
import { serve } from "#test/support/http-server.ts";

let expressions: Expressions;
const stores: Store[] = [];

/** To be called by a file of tests that takes measurements. */
export function useMetrics(): void {
  beforeAll(async () => {
    expressions = await createExpressions();
  });
  afterAll(() => expressions.dispose());
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close();
  });
}

export const openStore = (): Promise<Store> =>
  openSqliteStore({ file: ":memory:", cipher: createCipher(Buffer.alloc(32)) });

export const now = new Date("2030-01-02T03:04:05Z");

export const secret = (name: string, values: Record<string, string>, project = "shop"): Resource => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { name, namespace: project },
  ...{ stringData: values },
});

export interface MeasureOptions {
  condition?: string;
  resources?: readonly Resource[];
  env?: Record<string, string>;
  jobs?: (store: Store) => AnalysisJobs;
  allow?: readonly string[];
}

/** Takes one measurement by the real reconciler and the real egress rules, which open loopback. */
export async function measureOnce(
  provider: Metric["provider"],
  { condition, resources = [], env, jobs, allow = ["127.0.0.1"] }: MeasureOptions = {},
): Promise<Measurement & { run: AnalysisRun }> {
  const store = await openStore();
  stores.push(store);
  const run: AnalysisRun = {
    apiVersion: "argoproj.io/v1alpha1",
    kind: "AnalysisRun",
    metadata: { name: "run", namespace: "shop" },
    spec: {
      metrics: [{ name: "m", provider, consecutiveErrorLimit: 0, successCondition: condition }],
    },
  };
  await store.write([...resources, run as Resource].map((resource) => ({ op: "create", resource })));
  const reconciler = createAnalysisRunReconciler({
    store,
    expressions,
    env,
    jobs: jobs?.(store),
    fetch: createFetch({ policy: createEgressPolicy({ allow }) }),
    masker: createMasker(),
    now: () => now,
  });
  const ref = { kind: "AnalysisRun", project: "shop", name: "run" };
  await reconciler.reconcile(ref, new AbortController().signal);
  const measured = (await store.get(ref)) as AnalysisRun;
  const [last] = measured.status?.metricResults?.[0]?.measurements ?? [];
  return {
    ...(last ?? { phase: measured.status?.phase ?? "Pending", message: measured.status?.message }),
    run: measured,
  };
}

export interface SeenRequest {
  method: string;
  path: string;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

/** A server that gives an answer, and shows what it was asked. */
export async function answeringServer(
  answer: string | object | ((request: SeenRequest) => { status?: number; body: string | object }),
): Promise<{ url: string; seen: SeenRequest[] }> {
  const seen: SeenRequest[] = [];
  const { url } = await serve(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const asked = { method: request.method ?? "", path: request.url ?? "", headers: request.headers, body };
    seen.push(asked);
    const given = typeof answer === "function" ? answer(asked) : { body: answer };
    const text = typeof given.body === "string" ? given.body : JSON.stringify(given.body);
    response.writeHead(("status" in given && given.status) || 200).end(text);
  });
  return { url, seen };
}
