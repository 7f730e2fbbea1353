import { type ChartVersions, readChartIndex } from "#core/artifacts/chart-index.ts";
import { createBoundedMap } from "#core/bounded-map.ts";
import { type Credentials, keptFromPlainHttp } from "#core/credentials/credentials.ts";
import { StepFailure } from "#core/failure.ts";
import { createKeyedLock } from "#core/keyed-lock.ts";
import { credentialsKey, refusalOf } from "#core/oci/authorizer.ts";
import type { Fetch } from "#core/step.ts";

export interface ChartRepository {
  repoURL: string;
  credentials: Credentials | undefined;
  insecureSkipTLSVerify: boolean;
  signal: AbortSignal | undefined;
}

/** The indexes of chart repositories, each read once and again only when its server says that it has changed. */
export interface ChartMemory {
  versions(repository: ChartRepository, chart: string, maxAgeMs: number): Promise<readonly string[]>;
}

interface KnownIndex {
  at: number;
  charts: ChartVersions;
  etag: string | null;
  lastModified: string | null;
}

/** Versions in all indexes that are kept. */
const maxVersions = 2_000_000;
const maxIndexBytes = 100 * 1024 * 1024;

export function createChartMemory(fetch: Fetch, now: () => number = Date.now): ChartMemory {
  const indexes = createBoundedMap<KnownIndex>(maxVersions, countVersions);
  const lock = createKeyedLock();
  return {
    async versions(repository, chart, maxAgeMs) {
      const key = `${repository.repoURL} ${credentialsKey(repository.credentials)}`;
      const index = await lock.run(key, async () => {
        const known = indexes.get(key);
        if (known !== undefined && now() - known.at < maxAgeMs) return known;
        const current = { ...(await readIndex(fetch, repository, known)), at: now() };
        indexes.set(key, current);
        return current;
      });
      return index.charts.get(chart) ?? [];
    },
  };
}

function countVersions({ charts }: KnownIndex): number {
  return [...charts.values()].reduce((count, versions) => count + versions.length, 1);
}

async function readIndex(
  fetch: Fetch,
  { repoURL, credentials, insecureSkipTLSVerify, signal }: ChartRepository,
  known: KnownIndex | undefined,
): Promise<Omit<KnownIndex, "at">> {
  const url = `${repoURL.replace(/\/$/, "")}/index.yaml`;
  const headers = new Headers();
  if (credentials?.password !== undefined) {
    const pair = `${credentials.username ?? ""}:${credentials.password}`;
    headers.set("authorization", `Basic ${Buffer.from(pair).toString("base64")}`);
  }
  if (known?.etag) headers.set("if-none-match", known.etag);
  else if (known?.lastModified) headers.set("if-modified-since", known.lastModified);
  const response = await fetch(url, {
    headers,
    insecureSkipTLSVerify,
    signal: signal ?? null,
    timeoutSeconds: 120,
    maxBodyBytes: maxIndexBytes,
  });
  if (response.status === 304 && known !== undefined) {
    await response.body?.cancel();
    return known;
  }
  if (response.status !== 200) {
    await response.body?.cancel();
    throw indexFailure(url, response.status, credentials);
  }
  return {
    charts: parseIndex(url, await response.text()),
    etag: response.headers.get("etag"),
    lastModified: response.headers.get("last-modified"),
  };
}

function indexFailure(url: string, status: number, credentials: Credentials | undefined): StepFailure {
  const what = `Cannot read the chart repository's index "${url}"`;
  if (status === 401 || status === 403) {
    const isKeptBack = credentials === undefined && URL.parse(url)?.protocol === "http:";
    return new StepFailure("refused", `${what}: ${isKeptBack ? keptFromPlainHttp : refusalOf(credentials)}`);
  }
  const isPassing = status === 429 || status >= 500;
  return new StepFailure(isPassing ? "transient" : "errored", `${what}: it answered ${status}`);
}

function parseIndex(url: string, text: string): ChartVersions {
  try {
    return readChartIndex(text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
    throw new StepFailure("errored", `Cannot read the chart repository's index "${url}": ${why}`, { cause });
  }
}
