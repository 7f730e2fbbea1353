import type { IncomingMessage, ServerResponse } from "node:http";
import type { ArgoConnection } from "#core/argocd/connection.ts";
import { type LabelSelector, matchesLabels } from "#core/resources/label-selector.ts";
import { serve, serveTls } from "#test/support/http-server.ts";

/** An Application as Argo CD keeps it, as far as the tests go. */
export interface FakeApplication {
  metadata: {
    name: string;
    namespace: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  spec: Record<string, unknown> & { project: string };
  status?: Record<string, unknown>;
  operation?: Record<string, unknown> | undefined;
}

type Action = "get" | "update" | "sync";

export interface ArgoServer {
  connection: ArgoConnection;
  apps: FakeApplication[];
  /** What the token's account may do; all of it by default. */
  rights: Set<Action>;
  /** A sync window that is shut. */
  isWindowShut: boolean;
  /** Whether an asked refresh is done at once, or never within the test. */
  refreshes: boolean;
  /** Answers the next requests before anything else does: status and text. */
  answers: [status: number, text: string][];
  /** Method and address of each request. */
  requests: string[];
  /** What Argo CD's controller does when it has time: takes up the operation that is asked for. */
  takeUp(name: string): void;
  /** Ends the operation that was taken up. */
  finish(name: string, how?: { phase?: string; message?: string; revision?: string; health?: string }): void;
}

export const argoToken = "argo-t0ken";
const namespaces = ["argocd", "apps"];
const at = "2030-01-02T03:04:05Z";

/**
 * A server that answers as Argo CD's published API does, with its codes, its words and its habits: what may not
 * be seen and what is not there are the same 403, an asked refresh is answered when it is done, and no operation
 * is taken in while another is asked for.
 */
export async function startArgoServer(options: { tls?: boolean; path?: string } = {}): Promise<ArgoServer> {
  const path = options.path ?? "";
  const argo: ArgoServer = {
    connection: undefined as never,
    apps: [],
    rights: new Set(["get", "update", "sync"]),
    isWindowShut: false,
    refreshes: true,
    answers: [],
    requests: [],
    takeUp: (name) => takeUp(findByName(argo, name)),
    finish: (name, how) => finish(findByName(argo, name), how),
  };
  const start = options.tls ? serveTls : serve;
  const { url } = await start((request, response) => {
    void answer(argo, path, request, response).catch((error: Error) => {
      refuse(response, 500, 13, error.message);
    });
  });
  argo.connection = {
    server: `${url}${path}`,
    token: argoToken,
    namespace: "argocd",
    insecureSkipTLSVerify: false,
  };
  return argo;
}

/** An Application that the stage "test" of project "shop" may change, synced and healthy. */
export function fakeApplication(
  name: string,
  {
    labels,
    annotations,
    ...spec
  }: Record<string, unknown> & {
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  } = {},
): FakeApplication {
  return {
    metadata: {
      name,
      namespace: "argocd",
      ...(labels ? { labels } : {}),
      annotations: annotations ?? { "kargo.akuity.io/authorized-stage": "shop:test" },
    },
    spec: {
      project: "default",
      destination: { server: "https://kubernetes.default.svc", namespace: name },
      ...(Object.keys(spec).length > 0
        ? spec
        : { source: { repoURL: "https://git.example.com/shop.git", path: ".", targetRevision: "HEAD" } }),
    },
    status: { health: { status: "Healthy" }, sync: { status: "Synced" }, reconciledAt: at },
  };
}

function findByName({ apps }: ArgoServer, name: string): FakeApplication {
  const app = apps.find(({ metadata }) => metadata.name === name);
  if (app === undefined) throw new Error(`There is no Application ${name}`);
  return app;
}

async function answer(argo: ArgoServer, path: string, request: IncomingMessage, response: ServerResponse) {
  const url = new URL(request.url ?? "/", "http://x");
  argo.requests.push(`${request.method} ${url.pathname}${url.search}`);
  const prepared = argo.answers.shift();
  if (prepared) return response.writeHead(prepared[0]).end(prepared[1]);
  if (request.headers.authorization !== `Bearer ${argoToken}`) {
    return refuse(response, 401, 16, "invalid session: token signature is invalid");
  }
  const body = await readBody(request);
  const base = `${path}/api/v1/applications`;
  if (!url.pathname.startsWith(base)) return response.writeHead(404).end("404 page not found");
  const [, encoded = "", action] = url.pathname.slice(base.length).split("/");
  const name = decodeURIComponent(encoded);
  const namespace = String(body.appNamespace ?? url.searchParams.get("appNamespace") ?? "argocd");
  if (name !== "" && !namespaces.includes(namespace)) {
    return refuse(response, 403, 7, `namespace '${namespace}' is not permitted`);
  }
  if (request.method === "GET" && name === "") return send(response, list(argo, namespace, url));
  const app = argo.apps.find(({ metadata }) => metadata.name === name && metadata.namespace === namespace);
  // Nobody is to learn from the answer whether there is an Application that he may not see.
  if (app === undefined || !argo.rights.has("get")) return refuse(response, 403, 7, "permission denied");
  if (request.method === "GET") return get(argo, app, url, response);
  if (request.method === "PATCH") return patch(argo, app, body, response);
  if (request.method === "POST" && action === "sync") return sync(argo, app, body, response);
  refuse(response, 501, 12, "Method Not Allowed");
}

function list({ apps, rights }: ArgoServer, namespace: string, url: URL) {
  const selector = parseSelector(url.searchParams.get("selector") ?? "");
  const items = apps
    .filter(({ metadata }) => metadata.namespace === namespace && matchesLabels(selector, metadata.labels))
    .filter(() => rights.has("get"))
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  return { metadata: { resourceVersion: "1" }, items };
}

function get(argo: ArgoServer, app: FakeApplication, url: URL, response: ServerResponse) {
  const isRefresh = url.searchParams.has("refresh");
  // Without its controller Argo CD keeps such a request until the client gives up.
  if (isRefresh && !argo.refreshes) return;
  if (isRefresh) app.status = { ...app.status, reconciledAt: later(1) };
  send(response, app);
}

function patch({ rights }: ArgoServer, app: FakeApplication, body: Body, response: ServerResponse) {
  if (!rights.has("update")) return refuse(response, 403, 7, denied("update", app));
  if (body.patchType !== "merge")
    return refuse(response, 400, 3, `Patch type '${body.patchType}' is not supported`);
  const { metadata, spec } = merged(app, JSON.parse(String(body.patch))) as FakeApplication;
  // Nothing else of an Application can be changed in this way.
  Object.assign(app, { metadata, spec });
  send(response, app);
}

function sync(argo: ArgoServer, app: FakeApplication, body: Body, response: ServerResponse) {
  if (argo.isWindowShut) return refuse(response, 403, 7, "cannot sync: blocked by sync window");
  if (!argo.rights.has("sync")) return refuse(response, 403, 7, denied("sync", app));
  if (app.operation) {
    return refuse(response, 400, 9, "error setting app operation: another operation is already in progress");
  }
  app.operation = { sync: {}, info: body.infos, initiatedBy: { username: "towpath" } };
  const { operationState: _, ...status } = app.status ?? {};
  app.status = status;
  send(response, app);
}

function takeUp(app: FakeApplication): void {
  if (app.operation === undefined) throw new Error(`${app.metadata.name} has no operation`);
  app.status = { ...app.status, operationState: { operation: app.operation, phase: "Running" } };
}

function finish(
  app: FakeApplication,
  { phase = "Succeeded", message = "", revision = "", health = "Healthy" } = {},
): void {
  const sources = app.spec.sources as unknown[] | undefined;
  const synced = sources ? { revisions: sources.map(() => revision) } : { revision };
  app.status = {
    ...app.status,
    operationState: {
      ...(app.status?.operationState as object),
      phase,
      message,
      finishedAt: later(0),
      syncResult: synced,
    },
    sync: { status: "Synced", ...synced },
    health: { status: health },
    reconciledAt: later(1),
  };
  delete app.operation;
}

function later(seconds: number): string {
  return new Date(Date.parse(at) + (60 + seconds) * 1_000).toISOString().replace(".000Z", "Z");
}

type Body = Record<string, unknown>;

async function readBody(request: IncomingMessage): Promise<Body> {
  let text = "";
  for await (const chunk of request) text += chunk;
  return text === "" ? {} : JSON.parse(text);
}

/** RFC 7386. */
function merged(target: unknown, change: unknown): unknown {
  if (typeof change !== "object" || change === null || Array.isArray(change)) return change;
  const isObject = typeof target === "object" && target !== null && !Array.isArray(target);
  const result: Record<string, unknown> = isObject ? { ...target } : {};
  for (const [key, value] of Object.entries(change)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
}

function parseSelector(text: string): LabelSelector {
  const parts = text === "" ? [] : text.split(/,(?![^(]*\))/);
  const matchExpressions = parts.map((part) => {
    const set = /^(\S+) (in|notin) \((.*)\)$/.exec(part);
    if (set)
      return { key: set[1] ?? "", operator: set[2] === "in" ? "In" : "NotIn", values: set[3]?.split(",") };
    const [key = "", value] = part.split("=");
    if (value !== undefined) return { key, operator: "In", values: [value] };
    return key.startsWith("!")
      ? { key: key.slice(1), operator: "DoesNotExist" }
      : { key, operator: "Exists" };
  });
  return { matchExpressions } as LabelSelector;
}

function denied(action: Action, { metadata, spec }: FakeApplication): string {
  return `permission denied: applications, ${action}, ${spec.project}/${metadata.name}, sub: towpath, iat: ${at}`;
}

function send(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(body));
}

function refuse(response: ServerResponse, status: number, code: number, message: string): void {
  response
    .writeHead(status, { "Content-Type": "application/json" })
    .end(JSON.stringify({ error: message, code, message }));
}
