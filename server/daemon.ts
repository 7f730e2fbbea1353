import { pruneMirrors } from "#core/git/mirror.ts";
import { housekeepingSettingsFrom, startHousekeeping } from "#core/housekeeping.ts";
import { version } from "#core/package.ts";
import { createGates } from "#core/promotion/gates.ts";
import type { Scheduler } from "#core/scheduler/scheduler.ts";
import { createFreezes } from "#core/stages/freezes.ts";
import { createStageOperations } from "#core/stages/operations.ts";
import { describeStepImage } from "#runners/container/step-image.ts";
import { createApp } from "#server/app.ts";
import { oidcSettingsFrom } from "#server/auth/oidc-settings.ts";
import { createOidcVerifier } from "#server/auth/oidc-verifier.ts";
import { adviseOfEngine, containerServices } from "#server/daemon/containers.ts";
import { daemonGit } from "#server/daemon/git.ts";
import { type DaemonSettings, openParts, type Parts } from "#server/daemon/parts.ts";
import { registerReconcilers, startableScheduler } from "#server/daemon/reconcilers.ts";
import { removeLeftContainers } from "#server/daemon/step-kinds.ts";
import { loadOrCreateToken, openDataFolder } from "#server/data-folder.ts";
import { openPort } from "#server/listen.ts";
import type { Services } from "#server/services.ts";

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
  const containers = containerServices(parts, folder);
  const closePromotions = registerReconcilers(scheduler, parts, folder, publicUrl, containers);
  started.defer(closePromotions);
  started.defer(() => scheduler.stop(stopGraceSeconds));

  const closing = new AbortController();
  started.defer(() => closing.abort());
  port.serve(
    createApp({
      ...serverServices(parts, scheduler, closing.signal, token.value, publicUrl),
      describeStepImage: (request) => describeStepImage(containers, request),
    }),
  );
  await scheduler.start();
  removeLeftContainers(parts, folder);
  adviseOfEngine(parts);
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

function serverServices(
  parts: Parts,
  scheduler: Scheduler,
  closing: AbortSignal,
  token: string,
  publicUrl: string,
): Services {
  const oidc = oidcSettingsFrom(parts.env);
  const { store, expressions, now, log, limits } = parts;
  return {
    store,
    stages: createStageOperations({ store, now }),
    freezes: createFreezes({ store, now }),
    gates: createGates(store, now),
    gateLinks: parts.gateLinksAt(publicUrl),
    ...(oidc && { oidc: createOidcVerifier(oidc, { fetch: parts.fetchWith(), now }) }),
    expressions,
    steps: parts.steps,
    plugins: parts.plugins,
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
