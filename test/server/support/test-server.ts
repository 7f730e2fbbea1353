import { onTestFinished } from "vitest";
import { createCipher } from "#core/credentials/cipher.ts";
import { UserError } from "#core/failure.ts";
import type { Gate, GateDecision } from "#core/promotion/gates.ts";
import type { Freight } from "#core/resources/freight.ts";
import type { Resource, ResourceRef } from "#core/resources/resource.ts";
import type { Stage } from "#core/resources/stage.ts";
import { openSqliteStore } from "#core/store/sqlite.ts";
import type { Store } from "#core/store/store.ts";
import { createApp } from "#server/app.ts";
import type { ServerApp } from "#server/route.ts";
import { defaultLimits, type Limits, type Services } from "#server/services.ts";

export const testToken = "a-token-for-tests-0123456789";

export interface TestServer {
  app: ServerApp;
  store: Store;
  services: Services;
  /** Everything that a reconciler was woken for, in order. */
  enqueued: ResourceRef[];
  /** Everything that went wrong inside. */
  errors: string[];
  gates: Gate[];
  /** Calls the app as the administrator. A body that is no string goes as JSON. */
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Response>;
  /** Like `call`, and returns the parsed answer. */
  json<T = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<T>;
  /** Writes resources past the API. */
  put(...resources: Resource[]): Promise<void>;
}

/** The real app over a real store in memory; what other parts of the daemon do is done in the plainest way. */
export async function startTestServer(
  options: Partial<Omit<Services, "limits">> & { limits?: Partial<Limits> } = {},
): Promise<TestServer> {
  const store = await openSqliteStore({ file: ":memory:", cipher: createCipher(new Uint8Array(32).fill(7)) });
  const enqueued: ResourceRef[] = [];
  const errors: string[] = [];
  const gates: Gate[] = [];
  const closing = new AbortController();
  const services: Services = {
    store,
    scheduler: { enqueue: (ref) => enqueued.push(ref) },
    stages: plainStages(store),
    freight: { prepare: async (freight) => prepare(freight) },
    gates: plainGates(gates),
    expressions: { evaluate: unexpected, evaluateTemplate: unexpected },
    token: testToken,
    publicUrl: "https://towpath.example.com",
    version: "0.0.0-test",
    now: () => new Date("2030-01-02T03:04:05.000Z"),
    readiness: () => ({ loops: [{ name: "scheduler", turning: true }] }),
    log: {
      info: () => {},
      error: (message, { error } = {}) =>
        errors.push(`${message}: ${error instanceof Error ? error.stack : error}`),
    },
    closing: closing.signal,
    ...options,
    limits: { ...defaultLimits, ...options.limits },
  };
  const app = createApp(services);
  onTestFinished(async () => {
    closing.abort();
    await store.close();
  });

  const call: TestServer["call"] = async (method, path, body, headers = {}) =>
    app.request(path, {
      method,
      headers: { Authorization: `Bearer ${testToken}`, ...headers },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
  return {
    app,
    store,
    services,
    enqueued,
    errors,
    gates,
    call,
    json: async (method, path, body) => (await call(method, path, body)).json() as never,
    put: async (...resources) => {
      await store.write(resources.map((resource) => ({ op: "create", resource })));
    },
  };
}

/** A Promotion for whatever freight, without steps. */
function plainStages(store: Store): Services["stages"] {
  let count = 0;
  return {
    async promote({ project, stage, freight, origin, actor }) {
      if (!(await store.get({ kind: "Stage", project, name: stage }))) {
        throw new UserError(`Stage "${stage}" not found in project "${project}"`, { status: 404 });
      }
      count += 1;
      const name = freight ?? (await store.list({ kind: "Freight", project })).at(-1)?.metadata.name;
      const promotion: Resource = {
        apiVersion: "kargo.akuity.io/v1alpha1",
        kind: "Promotion",
        metadata: {
          name: `${stage}.${String(count).padStart(26, "0")}.${name?.slice(0, 7)}`,
          namespace: project,
          annotations: { "kargo.akuity.io/create-actor": actor, ...(origin ? { origin: origin.name } : {}) },
        },
        spec: { stage, freight: name, steps: [{ uses: "fail", as: "step-0" }] },
      };
      const [created] = await store.write([{ op: "create", resource: promotion }]);
      return created as Resource;
    },
    async availableFreight(project, stage) {
      const found = (await store.get({ kind: "Stage", project, name: stage })) as Stage | undefined;
      const origins = found?.spec.requestedFreight.map(({ origin }) => origin.name) ?? [];
      const all = (await store.list({ kind: "Freight", project })) as Freight[];
      return all.filter(({ origin }) => origins.includes(origin.name)) as Resource[];
    },
  };
}

function prepare(freight: Freight): Freight {
  const name = freight.metadata.name || "0123456789abcdef0123456789abcdef01234567";
  return { ...freight, alias: freight.alias ?? "quick-fox", metadata: { ...freight.metadata, name } };
}

function plainGates(gates: Gate[]): Services["gates"] {
  const find = (project: string, promotion: string, step: string) =>
    gates.find((gate) => gate.project === project && gate.promotion === promotion && gate.step === step);
  return {
    list: async (project) =>
      gates.filter((gate) => gate.state === "open" && (project === undefined || gate.project === project)),
    get: async (project, promotion, step) => find(project, promotion, step),
    async decide({ project, promotion, step, decision, by, message }: GateDecision) {
      const gate = find(project, promotion, step);
      if (!gate) throw new UserError(`There is no gate "${step}"`, { status: 404 });
      if (gate.state !== "open") return { decided: false, gate };
      Object.assign(gate, { state: decision, by, at: "2030-01-02T03:04:05Z", answer: message });
      return { decided: true, gate };
    },
  };
}

async function unexpected(): Promise<never> {
  throw new Error("no expression was expected");
}
