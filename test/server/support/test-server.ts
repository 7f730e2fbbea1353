import { onTestFinished } from "vitest";
import { createCipher } from "#core/credentials/cipher.ts";
import { createGateLinks } from "#core/promotion/gate-links.ts";
import { createGates } from "#core/promotion/gates.ts";
import type { Resource } from "#core/resources/resource.ts";
import { createFreezes } from "#core/stages/freezes.ts";
import { createStageOperations } from "#core/stages/operations.ts";
import { openSqliteStore } from "#core/store/sqlite.ts";
import type { Store } from "#core/store/store.ts";
import { createApp } from "#server/app.ts";
import { type Limits, limitsFrom } from "#server/limits.ts";
import type { ServerApp } from "#server/route.ts";
import type { Services } from "#server/services.ts";
import { builtinSteps } from "#steps/index.ts";

export const testToken = "a-token-for-tests-0123456789";

export interface TestServer {
  app: ServerApp;
  store: Store;
  services: Services;
  /** Everything that went wrong inside. */
  errors: string[];
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
  const errors: string[] = [];
  const closing = new AbortController();
  const now = () => new Date("2030-01-02T03:04:05.000Z");
  const services: Services = {
    store,
    stages: createStageOperations({ store, now }),
    freezes: createFreezes({ store, now }),
    gates: createGates(store, now),
    gateLinks: createGateLinks({
      key: new Uint8Array(32).fill(7),
      publicUrl: "https://towpath.example.com",
      now,
    }),
    expressions: { evaluate: unexpected, evaluateTemplate: unexpected },
    steps: builtinSteps,
    token: testToken,
    publicUrl: "https://towpath.example.com",
    version: "0.0.0-test",
    now,
    readiness: () => ({ loops: [{ name: "scheduler", turning: true }] }),
    log: {
      info: () => {},
      error: (message, { error } = {}) =>
        errors.push(`${message}: ${error instanceof Error ? error.stack : error}`),
    },
    closing: closing.signal,
    ...options,
    limits: { ...limitsFrom({}), ...options.limits },
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
    errors,
    call,
    json: async (method, path, body) => (await call(method, path, body)).json() as never,
    put: async (...resources) => {
      await store.write(resources.map((resource) => ({ op: "create", resource })));
    },
  };
}

async function unexpected(): Promise<never> {
  throw new Error("no expression was expected");
}
