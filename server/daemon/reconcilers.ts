import { createArgoHealthChecker } from "#core/argocd/health-check.ts";
import { createDiscoveryParts } from "#core/artifacts/discovery-parts.ts";
import { createWarehouseReconciler } from "#core/artifacts/warehouse-reconciler.ts";
import { countFrom } from "#core/environment.ts";
import { createProjectReconciler } from "#core/projects/project-reconciler.ts";
import { engineSettingsFrom } from "#core/promotion/engine.ts";
import { createLookupFunctions, createStepFunctions } from "#core/promotion/functions.ts";
import { createPromotionReconciler } from "#core/promotion/reconciler.ts";
import { openStepLog } from "#core/promotion/step-log.ts";
import { createWorkFolders, type WorkFolders } from "#core/promotion/work-folders.ts";
import { createScheduler, type Scheduler } from "#core/scheduler/scheduler.ts";
import { isFreightAvailable } from "#core/stages/availability.ts";
import { findFreeze } from "#core/stages/freeze.ts";
import { createStageReconciler } from "#core/stages/reconciler.ts";
import { createAnalysisRunReconciler } from "#core/stages/verification/run-reconciler.ts";
import type { ContainerServices } from "#runners/container/container-services.ts";
import { forgetContainers } from "#runners/container/forget.ts";
import { analysisJobs } from "#server/daemon/containers.ts";
import { daemonGit } from "#server/daemon/git.ts";
import { notificationReconcilers } from "#server/daemon/notifications.ts";
import type { Parts } from "#server/daemon/parts.ts";
import { stepKinds } from "#server/daemon/step-kinds.ts";
import type { DataFolder } from "#server/data-folder.ts";
import { createConfigReconcilers } from "#server/webhooks/reconcilers.ts";

export function startableScheduler({ store, log }: Parts): Scheduler {
  return createScheduler({
    store,
    onRun: ({ ref, failure }) => failure && log.error("reconcile failed", { ...ref, ...failure }),
    onError: (error) => log.error("scheduler", { error }),
  });
}

/** Returns what ends those of them that listen by themselves, and what they hold. */
export function registerReconcilers(
  scheduler: Scheduler,
  parts: Parts,
  folder: DataFolder,
  publicUrl: string,
  containers: ContainerServices,
): () => Promise<void> {
  const { store, expressions, masker, log, now, env } = parts;
  const links = parts.gateLinksAt(publicUrl);
  const promotions = createPromotionReconciler({
    store,
    masker,
    expressions,
    now,
    kinds: stepKinds(parts, folder, links, containers),
    functionsFor: createStepFunctions(store, masker, { links, now }),
    stopping: scheduler.stopping,
    openLog: (key) =>
      openStepLog(key, { store, masker, now, onError: (error) => log.error("step log", { error }) }),
    settings: engineSettingsFrom(env),
    concurrency: countFrom(env, "MAX_CONCURRENT_PROMOTION_RECONCILES", 50),
    folders: workFolders(folder, containers),
    isFreightAvailable: (stage, freight) => isFreightAvailable(stage, freight, now()),
    isFrozen: async (stage) => (await findFreeze(store, stage)) !== undefined,
    uiBaseUrl: publicUrl,
    onError: (error) => log.error("promotion", { error }),
  });
  scheduler.register(promotions);
  scheduler.register(
    createStageReconciler({
      ...parts,
      functionsFor: createLookupFunctions(store, masker),
      healthCheckers: { "argocd-update": createArgoHealthChecker(parts) },
      concurrency: countFrom(env, "MAX_CONCURRENT_STAGE_RECONCILES", 20),
    }),
  );
  const jobs = analysisJobs(parts, containers);
  scheduler.register(createAnalysisRunReconciler({ ...parts, jobs, fetch: parts.fetchWith() }));
  createConfigReconcilers({ store, publicUrl, now }).forEach(scheduler.register);
  notificationReconcilers(parts, publicUrl).forEach(scheduler.register);
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
  return async () => {
    promotions.close();
    jobs.close();
    await containers.pool.close();
  };
}

/** With a promotion's files go its containers, and what they put out. */
function workFolders({ work }: DataFolder, containers: ContainerServices): WorkFolders {
  const folders = createWorkFolders(work);
  return {
    ...folders,
    async remove(uid) {
      await folders.remove(uid);
      await forgetContainers(containers, uid);
    },
  };
}
