import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll } from "vitest";

/** How the registry of a test behaves; may be changed while it runs. */
export interface RegistryBehaviour {
  auth: "none" | "basic" | "bearer";
  /** Tags on a page; a larger `n` is answered with this many. */
  pageSize: number;
  /** With it, an `n` above it is answered with 400. */
  strictPageSize?: number;
  /** Blobs are redirected to another server, as cloud registries do. */
  redirectBlobs: boolean;
  /** Answers requests before the registry does; true when it has answered. */
  intercept?: (request: IncomingMessage, response: ServerResponse) => boolean;
}

/** Images by tag for one repository, the requests that came, and the address of the repository. */
export interface FakeRegistry {
  repoURL: string;
  host: string;
  behaviour: RegistryBehaviour;
  /** `GET /v2/shop/web/tags/list?n=10000`, in order. */
  requests: string[];
  /** Authorization headers that came to the blob store, which should never see any. */
  leaked: string[];
  /** Stores the content and names it; returns its digest. */
  push(tag: string | undefined, content: unknown, mediaType: string): string;
  /** A manifest with a configuration; `created` and `labels` stand in the latter. */
  pushImage(tag: string | undefined, image?: FakeImage): string;
  remove(tag: string): void;
}

export interface FakeImage {
  created?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  platform?: { os: string; architecture: string; variant?: string };
}

export const ociImage = "application/vnd.oci.image.manifest.v1+json";
export const ociIndex = "application/vnd.oci.image.index.v1+json";
export const dockerImage = "application/vnd.docker.distribution.manifest.v2+json";

const credentials = { username: "joe", password: "s3cret" };
const basic = `Basic ${Buffer.from("joe:s3cret").toString("base64")}`;
const token = "a-token";

const servers: Server[] = [];
afterAll(() => {
  for (const server of servers.splice(0)) server.closeAllConnections();
});

/** Starts a registry that answers as the OCI distribution specification says, in plain HTTP on loopback. */
export async function startFakeRegistry(behaviour: Partial<RegistryBehaviour> = {}): Promise<FakeRegistry> {
  const contents = new Map<string, { body: Buffer; mediaType: string }>();
  const tags = new Map<string, string>();
  const blobStore = await listen((request, response) => {
    if (request.headers.authorization !== undefined) registry.leaked.push(request.headers.authorization);
    const found = contents.get(decodeURIComponent((request.url ?? "").slice(1)));
    response.writeHead(found === undefined ? 404 : 200).end(found?.body);
  });
  const host = await listen((request, response) => {
    registry.requests.push(`${request.method} ${request.url}`);
    if (registry.behaviour.intercept?.(request, response)) return;
    answer(request, response);
  });
  const registry: FakeRegistry = {
    repoURL: `${host}/shop/web`,
    host,
    behaviour: { auth: "none", pageSize: 1_000, redirectBlobs: false, ...behaviour },
    requests: [],
    leaked: [],
    push(tag, content, mediaType) {
      const body = Buffer.from(JSON.stringify(content));
      const digest = `sha256:${createHash("sha256").update(body).digest("hex")}`;
      contents.set(digest, { body, mediaType });
      if (tag !== undefined) tags.set(tag, digest);
      return digest;
    },
    pushImage(tag, { created, labels, annotations, platform } = {}) {
      const config = registry.push(
        undefined,
        { created, os: "linux", architecture: "amd64", ...platform, config: { Labels: labels } },
        "application/vnd.oci.image.config.v1+json",
      );
      const manifest = { schemaVersion: 2, mediaType: ociImage, config: { digest: config }, annotations };
      return registry.push(tag, manifest, ociImage);
    },
    remove(tag) {
      tags.delete(tag);
    },
  };

  function answer(request: IncomingMessage, response: ServerResponse): unknown {
    const url = new URL(request.url ?? "", `http://${host}`);
    if (url.pathname === "/token") return answerToken(request, response);
    if (!isAllowed(request)) return refuse(response);
    const [, kind, name = ""] = /^\/v2\/shop\/web\/(tags|manifests|blobs)\/(.+)$/.exec(url.pathname) ?? [];
    if (kind === "tags") return answerTags(url, response);
    const digest = tags.get(name) ?? name;
    const found = contents.get(digest);
    if (kind === undefined || found === undefined) {
      return end(response, 404, { errors: [{ code: "MANIFEST_UNKNOWN", message: "<b>unknown</b>" }] });
    }
    if (kind === "blobs" && registry.behaviour.redirectBlobs) {
      return response.writeHead(307, { location: `http://${blobStore}/${encodeURIComponent(digest)}` }).end();
    }
    response.writeHead(200, { "content-type": found.mediaType, "docker-content-digest": digest });
    return response.end(request.method === "HEAD" ? undefined : found.body);
  }

  function answerTags(url: URL, response: ServerResponse): unknown {
    const { pageSize, strictPageSize } = registry.behaviour;
    const asked = Number(url.searchParams.get("n") ?? pageSize);
    if (strictPageSize !== undefined && asked > strictPageSize) {
      return end(response, 400, { errors: [{ code: "PAGINATION_NUMBER_INVALID" }] });
    }
    const all = [...tags.keys()];
    const start = all.indexOf(url.searchParams.get("last") ?? "") + 1;
    const page = all.slice(start, start + Math.min(asked, pageSize));
    const isLast = start + page.length >= all.length;
    const next = `</v2/shop/web/tags/list?n=${asked}&last=${page.at(-1)}>; rel="next"`;
    return end(response, 200, { name: "shop/web", tags: page }, isLast ? {} : { link: next });
  }

  function answerToken(request: IncomingMessage, response: ServerResponse): unknown {
    if (request.headers.authorization !== basic) return end(response, 401, {});
    return end(response, 200, { token, expires_in: 300 });
  }

  function isAllowed({ headers }: IncomingMessage): boolean {
    switch (registry.behaviour.auth) {
      case "none":
        return true;
      case "basic":
        return headers.authorization === basic;
      case "bearer":
        return headers.authorization === `Bearer ${token}`;
      default:
        return registry.behaviour.auth satisfies never;
    }
  }

  function refuse(response: ServerResponse): unknown {
    const challenge =
      registry.behaviour.auth === "basic"
        ? 'Basic realm="registry"'
        : `Bearer realm="http://${host}/token",service="registry",scope="repository:shop/web:pull"`;
    return end(response, 401, { errors: [{ code: "UNAUTHORIZED" }] }, { "www-authenticate": challenge });
  }

  return registry;
}

/** What the registry asks for when it asks for anything. */
export const registryCredentials = credentials;

function end(response: ServerResponse, status: number, body: unknown, headers = {}): ServerResponse {
  return response
    .writeHead(status, { "content-type": "application/json", ...headers })
    .end(JSON.stringify(body));
}

async function listen(
  handler: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<string> {
  const server = createServer(handler);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  server.unref();
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
