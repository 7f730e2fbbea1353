import type Docker from "dockerode";
import type { ArgoConnection } from "#core/argocd/connection.ts";
import { findArgoConnection } from "#core/argocd/from-store.ts";
import { type DiscoverySettings, discoverySettingsFrom } from "#core/artifacts/discovery-settings.ts";
import { createCipher } from "#core/credentials/cipher.ts";
import { credentialSettingsFrom } from "#core/credentials/configured-providers.ts";
import type { CredentialSource } from "#core/credentials/credentials.ts";
import { credentialsFromStore } from "#core/credentials/from-store.ts";
import { loadOrCreateKey } from "#core/credentials/key.ts";
import { createMasker, type Masker } from "#core/credentials/masker.ts";
import { createFetch } from "#core/egress/fetch.ts";
import { createEgressPolicy, type EgressPolicy } from "#core/egress/policy.ts";
import { createExpressions, type Expressions } from "#core/expressions/expressions.ts";
import { createKeyedLock, type KeyedLock } from "#core/keyed-lock.ts";
import { createGateLinks, type GateLinks } from "#core/promotion/gate-links.ts";
import type { Fetch, StepDefinition } from "#core/step.ts";
import { storeLimitsFrom } from "#core/store/limits.ts";
import { openSqliteStore } from "#core/store/sqlite.ts";
import type { Store } from "#core/store/store.ts";
import { type Allowances, allowancesFrom } from "#runners/container/allowances.ts";
import { connectEngine } from "#runners/container/engine.ts";
import { loadPlugins, type Plugins } from "#runners/plugins/load-plugins.ts";
import { pluginNamesFrom } from "#runners/plugins/plugin-source.ts";
import { createDaemonLog } from "#server/daemon-log.ts";
import type { DataFolder } from "#server/data-folder.ts";
import { type Limits, limitsFrom } from "#server/limits.ts";
import type { ServerLog } from "#server/services.ts";
import { builtinSteps } from "#steps/index.ts";

export interface DaemonSettings {
  /** Path of the data folder. */
  data: string;
  host: string;
  /** 0 for any that is free. */
  port: number;
  /** Where people and webhooks reach the daemon; the address it listens on when absent. */
  publicUrl?: string;
  /** Loopback and private addresses that steps and checks may reach, as `HOST[:PORT]`. */
  allowNet: readonly string[];
  /** Folders and packages with steps of others, beside those of TOWPATH_PLUGINS. */
  plugins?: readonly string[];
  env: NodeJS.ProcessEnv;
  logTo: NodeJS.WritableStream;
}

/** What the rest of the daemon is made of. */
export interface Parts {
  store: Store;
  masker: Masker;
  expressions: Expressions;
  lock: KeyedLock;
  docker: Docker;
  /** What of the machine steps in containers may use. */
  allowed: Allowances;
  log: ServerLog;
  plugins: Plugins;
  /** The daemon's own steps and those of plugins. */
  steps: readonly StepDefinition[];
  egress: EgressPolicy;
  fetchWith(signal?: AbortSignal): Fetch;
  credentialsFor(project: string): CredentialSource;
  argocdFor(project: string, stage: string): Promise<ArgoConnection | undefined>;
  discovery: DiscoverySettings;
  limits: Limits;
  env: NodeJS.ProcessEnv;
  /** Signs links to gates; `publicUrl` is where people reach the daemon. */
  gateLinksAt(publicUrl: string): GateLinks;
  now(): Date;
}

export async function openParts(settings: DaemonSettings, folder: DataFolder): Promise<Parts> {
  const masker = createMasker();
  const policy = createEgressPolicy({ allow: settings.allowNet });
  const key = loadOrCreateKey({ folder: settings.data, env: settings.env });
  const cipher = createCipher(key);
  const store = await openSqliteStore({
    file: folder.database,
    cipher,
    limits: storeLimitsFrom(settings.env),
  });
  const log = createDaemonLog(settings.logTo, masker.mask);
  const plugins = await openPlugins(settings, log);
  const now = () => new Date();
  const credentials = credentialSettingsFrom({ fetch: createFetch({ policy }), now, env: settings.env });
  return {
    store,
    masker,
    expressions: await createExpressions(),
    lock: createKeyedLock(),
    docker: connectEngine(),
    allowed: allowancesFrom(settings.env),
    log,
    plugins,
    steps: [...builtinSteps, ...plugins.steps],
    egress: policy,
    fetchWith: (signal) => createFetch({ policy, signal }),
    credentialsFor: (project) => credentialsFromStore(store, project, masker, credentials),
    argocdFor: (project, stage) => findArgoConnection(store, masker, project, stage),
    discovery: discoverySettingsFrom(settings.env),
    limits: limitsFrom(settings.env),
    env: settings.env,
    gateLinksAt: (publicUrl) => createGateLinks({ key, publicUrl, now }),
    now,
  };
}

/** Tells of each plugin, and of what is left out of it; the daemon starts in any case. */
async function openPlugins({ env, plugins: named }: DaemonSettings, log: ServerLog): Promise<Plugins> {
  const plugins = await loadPlugins(pluginNamesFrom(env, named), {
    folder: process.cwd(),
    taken: builtinSteps.map(({ name }) => name),
  });
  for (const { name, version, steps } of plugins.loaded) log.info("plugin loaded", { name, version, steps });
  for (const { plugin, message } of plugins.problems)
    log.error("plugin left out", { plugin, problem: message });
  return plugins;
}
