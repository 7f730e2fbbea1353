import { rm } from "node:fs/promises";
import { join } from "node:path";
import type Docker from "dockerode";
import { createDiscoveryParts } from "#core/artifacts/discovery-parts.ts";
import { type DiscoverySettings, discoverySettingsFrom } from "#core/artifacts/discovery-settings.ts";
import { createWarehouseReconciler } from "#core/artifacts/warehouse-reconciler.ts";
import { createCipher } from "#core/credentials/cipher.ts";
import type { CredentialSource } from "#core/credentials/credentials.ts";
import { credentialsFromStore } from "#core/credentials/from-store.ts";
import { createGitHubAppProvider } from "#core/credentials/github-app.ts";
import { loadOrCreateKey } from "#core/credentials/key.ts";
import { createMasker, type Masker } from "#core/credentials/masker.ts";
import { builtinProviders } from "#core/credentials/providers.ts";
import { createFetch } from "#core/egress/fetch.ts";
import { createEgressPolicy } from "#core/egress/policy.ts";
import { countFrom } from "#core/environment.ts";
import { createExec } from "#core/exec.ts";
import { createExpressions, type Expressions } from "#core/expressions/expressions.ts";
import { configuredGitUser } from "#core/git/configured-user.ts";
import { createGit, type Git } from "#core/git/git.ts";
import { pruneMirrors } from "#core/git/mirror.ts";
import { housekeepingSettingsFrom, startHousekeeping } from "#core/housekeeping.ts";
import { createKeyedLock, type KeyedLock } from "#core/keyed-lock.ts";
import { version } from "#core/package.ts";
import { createProjectReconciler } from "#core/projects/project-reconciler.ts";
import { engineSettingsFrom } from "#core/promotion/engine.ts";
import { createLookupFunctions, createStepFunctions } from "#core/promotion/functions.ts";
import { createGates } from "#core/promotion/gates.ts";
import { createPromotionReconciler } from "#core/promotion/reconciler.ts";
import { openStepLog } from "#core/promotion/step-log.ts";
import { createWorkFolders, type WorkFolders } from "#core/promotion/work-folders.ts";
import type { Promotion } from "#core/resources/promotion.ts";
import type { StepKinds } from "#core/runner.ts";
import { createScheduler, type Scheduler } from "#core/scheduler/scheduler.ts";
import { isFreightAvailable } from "#core/stages/availability.ts";
import { createStageOperations } from "#core/stages/operations.ts";
import { createStageReconciler } from "#core/stages/reconciler.ts";
import { createAnalysisRunReconciler } from "#core/stages/verification/run-reconciler.ts";
import type { Fetch } from "#core/step.ts";
import { storeLimitsFrom } from "#core/store/limits.ts";
import { openSqliteStore } from "#core/store/sqlite.ts";
import type { Store } from "#core/store/store.ts";
import { type Allowances, allowancesFrom } from "#runners/container/allowances.ts";
import { removeOrphans } from "#runners/container/containers.ts";
import { customStepKinds } from "#runners/container/custom-step-kinds.ts";
import { connectEngine } from "#runners/container/engine.ts";
import { createImages } from "#runners/container/images.ts";
import { createInlineContainerRunner } from "#runners/container/inline-container.ts";
import { createPullCredentials } from "#runners/container/pull-credentials.ts";
import { createInProcessRunner } from "#runners/in-process.ts";
import { makeCacheFolder } from "#runners/step-context.ts";
import { builtinStepKinds, combineStepKinds } from "#runners/step-kinds.ts";
import { createApp } from "#server/app.ts";
import { createDaemonLog } from "#server/daemon-log.ts";
import { type DataFolder, loadOrCreateToken, openDataFolder } from "#server/data-folder.ts";
import { type Limits, limitsFrom } from "#server/limits.ts";
import { openPort } from "#server/listen.ts";
import type { ServerLog, Services } from "#server/services.ts";
import { createConfigReconcilers } from "#server/webhooks/reconcilers.ts";
import container from "#steps/container.ts";
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
  env: NodeJS.ProcessEnv;
  logTo: NodeJS.WritableStream;
}

export interface Daemon {
  /** Where it listens. */
  url: string;
  /** The token, when it was made at this start. */
  newToken: string | undefined;
  /** Ends cleanly: what is running gets time, and what is not done by then goes on at the next start. */
  stop(): Promise<void>;
}

const stopGraceSeconds = 30;
/** A copy of a repository that nobody used for so long is deleted; it is made again when it is wanted. */
const unusedMirrorDays = 30;

/** Opens the data folder, takes up all work that is due, and listens. Throws a UserError when it cannot. */
export async function startDaemon(settings: DaemonSettings): Promise<Daemon> {
  await using started = new AsyncDisposableStack();
  const folder = openDataFolder(settings.data);
  const parts = await openParts(settings, folder);
  started.defer(() => parts.store.close());
  started.defer(() => parts.expressions.dispose());

  // After the database, which tells whether another daemon has the folder.
  const token = loadOrCreateToken(settings.data, settings.env);
  const port = await openPort(settings.host, settings.port);
  started.defer(port.close);
  const url = `http://${settings.host}:${port.port}`;
  const publicUrl = settings.publicUrl ?? url;

  const scheduler = startableScheduler(parts);
  const closePromotions = registerReconcilers(scheduler, parts, folder, publicUrl);
  started.defer(closePromotions);
  started.defer(() => scheduler.stop(stopGraceSeconds));

  const closing = new AbortController();
  started.defer(() => closing.abort());
  port.serve(createApp(serverServices(parts, scheduler, closing.signal, token.value, publicUrl)));
  await scheduler.start();
  removeLeftContainers(parts, folder);
  started.defer(
    startHousekeeping({
      ...housekeepingSettingsFrom(settings.env),
      store: parts.store,
      now: parts.now,
      pruneCaches: () => pruneMirrors(daemonGit(parts, folder), unusedMirrorDays, parts.now()),
      onError: (error) => parts.log.error("housekeeping", { error }),
    }),
  );

  const running = started.move();
  return { url, newToken: token.isNew ? token.value : undefined, stop: () => running.disposeAsync() };
}

/** What the rest of the daemon is made of. */
interface Parts {
  store: Store;
  masker: Masker;
  expressions: Expressions;
  lock: KeyedLock;
  docker: Docker;
  /** What of the machine steps in containers may use. */
  allowed: Allowances;
  log: ServerLog;
  fetchWith(signal?: AbortSignal): Fetch;
  credentialsFor(project: string): CredentialSource;
  discovery: DiscoverySettings;
  limits: Limits;
  env: NodeJS.ProcessEnv;
  now(): Date;
}

async function openParts(settings: DaemonSettings, folder: DataFolder): Promise<Parts> {
  const masker = createMasker();
  const policy = createEgressPolicy({ allow: settings.allowNet });
  const cipher = createCipher(loadOrCreateKey({ folder: settings.data, env: settings.env }));
  const store = await openSqliteStore({
    file: folder.database,
    cipher,
    limits: storeLimitsFrom(settings.env),
  });
  const now = () => new Date();
  const providers = [...builtinProviders, createGitHubAppProvider({ fetch: createFetch({ policy }), now })];
  return {
    store,
    masker,
    expressions: await createExpressions(),
    lock: createKeyedLock(),
    docker: connectEngine(),
    allowed: allowancesFrom(settings.env),
    log: createDaemonLog(settings.logTo, masker.mask),
    fetchWith: (signal) => createFetch({ policy, signal }),
    credentialsFor: (project) => credentialsFromStore(store, project, masker, { providers }),
    discovery: discoverySettingsFrom(settings.env),
    limits: limitsFrom(settings.env),
    env: settings.env,
    now,
  };
}

function startableScheduler({ store, log }: Parts): Scheduler {
  return createScheduler({
    store,
    onRun: ({ ref, failure }) => failure && log.error("reconcile failed", { ...ref, ...failure }),
    onError: (error) => log.error("scheduler", { error }),
  });
}

/** Returns what ends those of them that listen by themselves. */
function registerReconcilers(
  scheduler: Scheduler,
  parts: Parts,
  folder: DataFolder,
  publicUrl: string,
): () => void {
  const { store, expressions, masker, log, now, env } = parts;
  const promotions = createPromotionReconciler({
    store,
    masker,
    expressions,
    now,
    kinds: stepKinds(parts, folder),
    functionsFor: createStepFunctions(store, masker),
    stopping: scheduler.stopping,
    openLog: (key) =>
      openStepLog(key, { store, masker, now, onError: (error) => log.error("step log", { error }) }),
    settings: engineSettingsFrom(env),
    concurrency: countFrom(env, "MAX_CONCURRENT_PROMOTION_RECONCILES", 50),
    folders: workFolders(folder),
    isFreightAvailable: (stage, freight) => isFreightAvailable(stage, freight, now()),
    uiBaseUrl: publicUrl,
    onError: (error) => log.error("promotion", { error }),
  });
  scheduler.register(promotions);
  scheduler.register(
    createStageReconciler({
      ...parts,
      functionsFor: createLookupFunctions(store, masker),
      concurrency: countFrom(env, "MAX_CONCURRENT_STAGE_RECONCILES", 20),
    }),
  );
  scheduler.register(createAnalysisRunReconciler({ ...parts, fetch: parts.fetchWith() }));
  createConfigReconcilers({ store, publicUrl, now }).forEach(scheduler.register);
  scheduler.register(createProjectReconciler({ store, now }));
  scheduler.register(
    createWarehouseReconciler({
      ...parts,
      ...parts.discovery,
      parts: createDiscoveryParts({
        ...parts.discovery,
        fetch: parts.fetchWith(),
        now,
        ownFolders: [folder.root],
      }),
      credentialsOf: parts.credentialsFor,
      git: (signal) => daemonGit(parts, folder, signal),
    }),
  );
  return promotions.close;
}

/** Git for the daemon's own errands, ended by the signal. */
function daemonGit({ lock }: Parts, folder: DataFolder, signal?: AbortSignal): Git {
  return createGit({
    exec: createExec({ cwd: folder.cache, signal }),
    cacheFolder: (name) => makeCacheFolder(folder.cache, name),
    exclusively: (key, work) => lock.run(key, work, signal),
  });
}

/** Steps of the daemon's own come first: no definition can take a built-in step's name. */
function stepKinds(parts: Parts, folder: DataFolder): StepKinds {
  const runner = createInProcessRunner(builtinSteps, {
    ...parts,
    cacheFolder: folder.cache,
    gitUser: () => configuredGitUser(parts.store, parts.masker),
  });
  const containers = {
    ...parts,
    images: createImages(parts.docker),
    pullCredentials: createPullCredentials(parts.store, parts.masker, parts.credentialsFor),
    outputRoot: folder.outputs,
    cacheRoot: join(folder.cache, "containers"),
  };
  return combineStepKinds(
    builtinStepKinds([container], createInlineContainerRunner(containers)),
    builtinStepKinds(builtinSteps, runner),
    customStepKinds(parts.store, containers),
  );
}

/** With a promotion's files goes what its containers put out. */
function workFolders({ work, outputs }: DataFolder): WorkFolders {
  const folders = createWorkFolders(work);
  return {
    ...folders,
    async remove(uid) {
      await folders.remove(uid);
      await rm(join(outputs, uid), { recursive: true, force: true });
    },
  };
}

/** Containers of promotions that ended, or were deleted, while no daemon ran. Nobody waits for it. */
function removeLeftContainers({ store, log, docker }: Parts, folder: DataFolder): void {
  const goingOn = async () => {
    const promotions = (await store.list({ kind: "Promotion" })) as Promotion[];
    return new Set(
      promotions.flatMap(({ metadata, status }) => (status?.finishedAt ? [] : (metadata.uid ?? []))),
    );
  };
  removeOrphans(docker, folder.outputs, goingOn).catch((error) => log.error("left containers", { error }));
}

function serverServices(
  parts: Parts,
  scheduler: Scheduler,
  closing: AbortSignal,
  token: string,
  publicUrl: string,
): Services {
  const { store, expressions, now, log, limits } = parts;
  return {
    store,
    stages: createStageOperations({ store, now }),
    gates: createGates(store, now),
    expressions,
    steps: builtinSteps,
    token,
    publicUrl,
    version,
    now,
    limits,
    readiness: () => ({ loops: [{ name: "scheduler", turning: scheduler.healthy() }] }),
    log,
    closing,
  };
}
