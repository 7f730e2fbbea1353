import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { StepFailure } from "#core/failure.ts";
import { normalizeChartUrl } from "#core/oci/image-url.ts";
import { createRegistryClient, type RegistrySession } from "#core/oci/registry-client.ts";
import { openRepository } from "#core/oci/repository.ts";
import type { StepContext } from "#core/step.ts";
import { chartUrls } from "./chart-urls.ts";
import { type LoopbackRelay, type RelayAnswer, withLoopbackRelay } from "./loopback-relay.ts";

const maxIndexBytes = 128 * 1024 * 1024;
const maxChartBytes = 100 * 1024 * 1024;
const transferSeconds = 300;

/**
 * Stands between helm and chart repositories. Helm asks it on this machine; it asks the repository through
 * the step's context, so that the egress rules hold at every hop and helm is given no credentials.
 */
export interface ChartRelay {
  /** The address that stands for a repository, one over http, https or oci, for whoever wants a chart of it. */
  addressOf(repository: string, chart: string): string;
  /** What kept a repository from answering; helm's own words for it say less. */
  failure(): StepFailure | undefined;
}

export async function withChartRelay<T>(
  ctx: StepContext,
  work: (relay: ChartRelay) => Promise<T>,
): Promise<T> {
  const repositories: Wanted[] = [];
  const sources = createSources(ctx);
  const addressAt = ({ host, token }: LoopbackRelay, place: string) => `${host}/${token}/${place}`;

  const answer: RelayAnswer = async (request, response, relay) => {
    const { pathname, search } = new URL(request.url ?? "/", "http://relay");
    if (pathname === "/v2/") return void response.end();
    const parts = pathname.replace(/^\/v2\//, "/").split("/");
    const repository = repositories[Number(parts[2])];
    if (parts[1] !== relay.token || repository === undefined) return void response.writeHead(404).end();
    const address = addressAt(relay, parts[2] ?? "");
    const rest = parts.slice(3).join("/") + search;
    const source = isOci(repository.url) ? sources.registry : sources.server;
    await source({ repository, address, rest, request, response });
  };

  return await withLoopbackRelay(answer, (relay) =>
    work({
      failure: relay.failure,
      addressOf(url, chart) {
        const known = repositories.findIndex((one) => one.url === url);
        const place = known === -1 ? repositories.push({ url, charts: new Set() }) - 1 : known;
        repositories[place]?.charts.add(chart);
        return `${isOci(url) ? "oci" : "http"}://${addressAt(relay, String(place))}`;
      },
    }),
  );
}

/** A repository, and the charts of it that are wanted. */
interface Wanted {
  url: string;
  charts: Set<string>;
}

/** One request for one repository. */
interface Ask {
  repository: Wanted;
  /** Of the repository at the relay, without a scheme. */
  address: string;
  /** What is asked of it. */
  rest: string;
  request: IncomingMessage;
  response: ServerResponse;
}

function createSources(ctx: StepContext) {
  const indexes = new Map<string, Promise<string>>();
  const charts: { url: string; repository: string }[] = [];
  const registries = createRegistryClient({ fetch: ctx.fetch });
  const sessions = new Map<string, Promise<RegistrySession>>();

  async function server({ repository: wanted, address, rest, response }: Ask): Promise<void> {
    const repository = wanted.url;
    if (rest === "index.yaml") {
      const read = indexes.get(repository) ?? readIndex(ctx, repository);
      indexes.set(repository, read);
      const index = chartUrls(await read, wanted.charts, (url) => {
        const target = URL.parse(url, `${repository.replace(/\/+$/, "")}/`);
        if (target === null || !/^https?:$/.test(target.protocol)) return undefined;
        // Helm names the file as its address ends.
        const fileName = target.pathname.slice(target.pathname.lastIndexOf("/") + 1);
        return `http://${address}/${charts.push({ url: target.href, repository }) - 1}/${fileName}`;
      });
      return void response.end(index);
    }
    const chart = charts[Number(/^(\d+)\//.exec(rest)?.[1])];
    if (chart === undefined) return void response.writeHead(404).end();
    await passOn(await get(ctx, chart.url, chart.repository, maxChartBytes), response);
  }

  async function registry({ repository, rest, request, response }: Ask): Promise<void> {
    const [, name = "", kind = "", what = ""] =
      /^(.+)\/(manifests|blobs|tags)\/([^/]+)$/.exec(rest.replace(/\?.*/, "")) ?? [];
    if (kind === "") return void response.writeHead(404).end();
    const full = `${repository.url.replace(/\/+$/, "")}/${name}`;
    const session = sessions.get(full) ?? openSession(ctx, registries, full);
    sessions.set(full, session);
    if (kind === "tags") {
      const { credentials, address } = await accessTo(ctx, full);
      const tags = await openRepository(registries, address, { credentials, signal: ctx.signal }).listTags();
      return void response.setHeader("content-type", "application/json").end(JSON.stringify({ name, tags }));
    }
    const method = request.method === "HEAD" ? "HEAD" : "GET";
    const { accept } = request.headers;
    const bounds = { timeoutSeconds: transferSeconds, maxBodyBytes: maxChartBytes };
    const sent = await (await session).send(`/${kind}/${what}`, {
      method,
      ...(accept ? { accept } : {}),
      ...bounds,
    });
    if (sent.status === 404) {
      throw new StepFailure("errored", `Cannot get chart "${full}": its repository has no ${what}`);
    }
    await passOn(sent, response);
  }

  return { server, registry };
}

async function readIndex(ctx: StepContext, repository: string): Promise<string> {
  const url = `${repository.replace(/\/+$/, "")}/index.yaml`;
  return await (await get(ctx, url, repository, maxIndexBytes)).text();
}

/** Credentials go to the repository's own server alone, and only over TLS. */
async function get(
  ctx: StepContext,
  url: string,
  repository: string,
  maxBodyBytes: number,
): Promise<Response> {
  const isOwn = new URL(url).origin === new URL(repository).origin && url.startsWith("https:");
  const credentials = isOwn ? await ctx.credentials.find("helm", repository) : undefined;
  const { username = "", password } = credentials ?? {};
  const basic = Buffer.from(`${username}:${password}`).toString("base64");
  const response = await ctx.fetch(url, {
    headers: password === undefined ? {} : { authorization: `Basic ${basic}` },
    timeoutSeconds: transferSeconds,
    maxBodyBytes,
  });
  if (response.ok) return response;
  await response.body?.cancel();
  const isBusy = response.status === 429 || response.status >= 500;
  const { origin, pathname } = new URL(url);
  throw new StepFailure(
    isBusy ? "transient" : "errored",
    `Cannot get "${origin}${pathname}" from chart repository "${repository}": it answered ${response.status}`,
  );
}

async function accessTo(ctx: StepContext, repository: string) {
  const credentials = await ctx.credentials.find("helm", `oci://${normalizeChartUrl(repository)}`);
  return { credentials, address: repository.slice("oci://".length) };
}

async function openSession(
  ctx: StepContext,
  registries: ReturnType<typeof createRegistryClient>,
  repository: string,
): Promise<RegistrySession> {
  const { credentials, address } = await accessTo(ctx, repository);
  return registries.session(address, { credentials, signal: ctx.signal });
}

async function passOn(from: Response, to: ServerResponse): Promise<void> {
  for (const name of ["content-type", "content-length", "docker-content-digest"]) {
    const value = from.headers.get(name);
    if (value !== null && (name !== "content-length" || !from.headers.has("content-encoding"))) {
      to.setHeader(name, value);
    }
  }
  to.writeHead(from.status);
  if (from.body === null) to.end();
  else await pipeline(Readable.fromWeb(from.body as never), to);
}

function isOci(repository: string): boolean {
  return repository.startsWith("oci:");
}
