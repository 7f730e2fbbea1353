import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CliIO, print } from "#cli/io.ts";
import { ExitCode } from "#cli/report-error.ts";
import { meetsCriteria } from "#core/artifacts/creation-criteria.ts";
import { type Discovery, discover, type SubscriptionReport } from "#core/artifacts/discovery.ts";
import { createDiscoveryParts } from "#core/artifacts/discovery-parts.ts";
import { expressionFilter } from "#core/artifacts/expression-filter.ts";
import { freightOfBest, missingArtifacts } from "#core/artifacts/freight-content.ts";
import { summarize } from "#core/artifacts/selection.ts";
import { createCipher, keyLength } from "#core/credentials/cipher.ts";
import { credentialSettingsFrom } from "#core/credentials/configured-providers.ts";
import { credentialsFromStore } from "#core/credentials/from-store.ts";
import { createMasker } from "#core/credentials/masker.ts";
import { createFetch } from "#core/egress/fetch.ts";
import { createEgressPolicy } from "#core/egress/policy.ts";
import { createExec } from "#core/exec.ts";
import { createExpressions, type Expressions } from "#core/expressions/expressions.ts";
import { UserError } from "#core/failure.ts";
import { createGit } from "#core/git/git.ts";
import { createKeyedLock } from "#core/keyed-lock.ts";
import type { FreightReference } from "#core/resources/freight.ts";
import { loadResources } from "#core/resources/load.ts";
import { formatRef, type Resource, refOf } from "#core/resources/resource.ts";
import { readSources } from "#core/resources/sources.ts";
import type { Warehouse } from "#core/resources/warehouse.ts";
import { openSqliteStore } from "#core/store/sqlite.ts";

export interface DiscoverFlags {
  filename: string[];
  allowNet?: string[];
  output: string;
}

/** Whoever sits at the terminal may reach his own networks anyway; what tells secrets there stays closed. */
const ownNetworks = ["localhost", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"];

/** What a Warehouse would find, and the freight it would make of it. */
interface Outlook {
  warehouse: Warehouse;
  discovery: Discovery;
  /** Freight that would be made, or why none would. */
  freight: FreightReference | string;
}

/**
 * `towpath discover`: looks at what Warehouses in files subscribe to, with the Secrets beside them, and
 * changes nothing. Exit code 1 when a repository could not be read.
 */
export async function discoverFiles(flags: DiscoverFlags, io: CliIO): Promise<void> {
  const resources = await load(flags.filename, io);
  const warehouses = resources.filter(({ kind }) => kind === "Warehouse") as Warehouse[];
  if (warehouses.length === 0) {
    throw new UserError(`Cannot discover anything: there is no Warehouse in ${flags.filename.join(", ")}`);
  }
  const outlooks = await lookAll(warehouses, resources, flags.allowNet ?? ownNetworks, io.signal);
  const text =
    flags.output === "json" ? JSON.stringify(outlooks.map(toJson), undefined, 2) : render(outlooks);
  print(io, text);
  const hasFailed = outlooks.some(({ discovery }) => discovery.artifacts === undefined);
  if (hasFailed) throw new ExitCode(1);
}

async function load(paths: readonly string[], io: CliIO): Promise<Resource[]> {
  const { sources, problems: unreadable } = await readSources(paths, io.stdin);
  const { resources, problems } = loadResources(sources, { defaultProject: "default" });
  const [first] = [...unreadable, ...problems].filter(({ severity }) => severity === "error");
  if (first === undefined) return resources.map(({ resource }) => resource);
  const place = first.line === 0 ? first.file : `${first.file}:${first.line}:${first.column}`;
  throw new UserError(`Cannot read ${place}: ${first.message}`, {
    hint: `towpath validate -f ${paths.join(" -f ")}`,
  });
}

async function lookAll(
  warehouses: readonly Warehouse[],
  resources: readonly Resource[],
  allowNet: readonly string[],
  signal: AbortSignal,
): Promise<Outlook[]> {
  await using opened = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "towpath-discover-"));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const cipher = createCipher(crypto.getRandomValues(new Uint8Array(keyLength)));
  const store = await openSqliteStore({ file: ":memory:", cipher });
  opened.defer(() => store.close());
  const secrets = resources.filter(({ kind }) => kind === "Secret");
  await store.write(secrets.map((resource) => ({ op: "create", resource })));
  const expressions = await createExpressions();
  opened.defer(() => expressions.dispose());
  const masker = createMasker();
  const lock = createKeyedLock();
  const fetch = createFetch({ policy: createEgressPolicy({ allow: allowNet }), signal });
  const settings = credentialSettingsFrom({ fetch, now: () => new Date(), env: process.env });
  const shared = {
    ...createDiscoveryParts({ fetch }),
    git: createGit({
      exec: createExec({ cwd: folder, signal }),
      cacheFolder: async () => folder,
      exclusively: (key, work) => lock.run(key, work, signal),
    }),
    matches: expressionFilter(expressions),
    signal,
  };
  const outlooks: Outlook[] = [];
  for (const warehouse of warehouses) {
    const project = warehouse.metadata.namespace ?? "default";
    const credentials = credentialsFromStore(store, project, masker, settings);
    const request = { key: formatRef(refOf(warehouse)), maxAgeMs: Number.POSITIVE_INFINITY };
    const discovery = await discover(warehouse.spec, { ...shared, credentials }, request);
    for (const { failure } of discovery.reports) if (failure) failure.message = masker.mask(failure.message);
    outlooks.push({ warehouse, discovery, freight: await outlookFor(warehouse, discovery, expressions) });
  }
  return outlooks;
}

async function outlookFor(
  { metadata, spec }: Warehouse,
  { artifacts }: Discovery,
  expressions: Expressions,
): Promise<FreightReference | string> {
  if (artifacts === undefined) return "none, since a repository could not be read";
  const missing = missingArtifacts(artifacts);
  if (missing !== undefined) return `none: ${missing.message}`;
  if (spec.freightCreationPolicy === "Manual") return "none by itself: freightCreationPolicy is Manual";
  try {
    if (!(await meetsCriteria(spec.freightCreationCriteria, artifacts, expressions))) {
      return "none: freightCreationCriteria do not hold";
    }
  } catch (error) {
    return `none: freightCreationCriteria cannot be evaluated: ${error instanceof Error ? error.message : error}`;
  }
  return freightOfBest({ kind: "Warehouse", name: metadata.name }, artifacts);
}

function toJson({ warehouse, discovery: { artifacts, reports }, freight }: Outlook) {
  return {
    project: warehouse.metadata.namespace,
    warehouse: warehouse.metadata.name,
    subscriptions: reports.map(({ failure, unchanged: _, ...report }) => ({
      ...report,
      failure: failure?.message,
    })),
    discoveredArtifacts: artifacts,
    freight: typeof freight === "string" ? null : freight,
    noFreight: typeof freight === "string" ? freight : undefined,
  };
}

function render(outlooks: readonly Outlook[]): string {
  return outlooks
    .map(({ warehouse, discovery, freight }) => {
      const title = `Warehouse ${warehouse.metadata.namespace}/${warehouse.metadata.name}`;
      const made = typeof freight === "string" ? freight : freight.name;
      return [title, ...discovery.reports.flatMap(renderReport), `  freight  ${made}`].join("\n");
    })
    .join("\n\n");
}

const shownChoices = 10;

function renderReport({ kind, repoURL, name, chosen, leftOut, failure }: SubscriptionReport): string[] {
  const title = `  ${kind} ${repoURL}${name === undefined ? "" : ` (${name})`}`;
  if (failure !== undefined) return [title, `    failed   ${failure.message}`];
  const shown = chosen.slice(0, shownChoices).join(", ");
  const more = chosen.length > shownChoices ? ` and ${chosen.length - shownChoices} more` : "";
  const reasons = summarize(leftOut, 5).map(({ reason, count, examples }) => {
    const rest = count > examples.length ? ", …" : "";
    return `    left out ${count}: ${reason} (${examples.join(", ")}${rest})`;
  });
  return [title, `    takes    ${chosen.length === 0 ? "nothing" : shown + more}`, ...reasons];
}
