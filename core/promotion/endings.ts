import { type AbortRequest, abortedStatus, controllerActor } from "#core/promotion/abort.ts";
import { promotionEvent } from "#core/promotion/events.ts";
import { gateRemovals } from "#core/promotion/gates.ts";
import { keys } from "#core/promotion/keys.ts";
import { type OpenRun, openRun } from "#core/promotion/open-run.ts";
import type { PromotionServices } from "#core/promotion/services.ts";
import { takeBack } from "#core/promotion/take-back.ts";
import type { Freight } from "#core/resources/freight.ts";
import type { Promotion } from "#core/resources/promotion.ts";
import { type ResourceRef, refOf } from "#core/resources/resource.ts";
import type { Stage } from "#core/resources/stage.ts";

type Services = Pick<PromotionServices, "store" | "folders" | "masker" | "now" | "uiBaseUrl" | "onError">;

/** Puts on disk that the promotion is over, with its event, and clears away what only it needed. */
export async function finish(
  services: Services,
  promotion: Promotion,
  run: OpenRun,
  freight: Freight | undefined,
): Promise<void> {
  const { phase = "Errored", message } = run.status;
  const event = promotionEvent(promotion, freight, {
    phase,
    message: message ? `Promotion ${phase}: ${message}` : `Promotion ${phase}`,
    at: services.now(),
  });
  const gates = await gateRemovals(services.store, run.project, run.uid);
  await run.save([...run.cleanUp, ...gates, { op: "event", event }]);
  await leave(services, run.uid);
}

/** Ends a promotion that somebody wants aborted, be it queued or under way. Returns false when the signal came first. */
export async function terminate(
  services: PromotionServices,
  promotion: Promotion,
  request: AbortRequest,
  signal: AbortSignal,
): Promise<boolean> {
  const { store, masker, folders, uiBaseUrl } = services;
  const { namespace: project = "", uid = "", annotations } = promotion.metadata;
  const status = abortedStatus(promotion, request, services.now());
  const freight = await findFreight(services, promotion);
  const stageRef = { kind: "Stage", project, name: promotion.spec.stage };
  const stage = (await store.get(stageRef)) as Stage | undefined;
  const run = await openRun(store, masker, {
    promotion: { ...promotion, status },
    freight,
    freightRequests: stage?.spec.requestedFreight ?? [],
    workspace: folders.pathOf(uid),
    uiBaseUrl,
  });
  // Before the end is on disk, so that a crash in between leads here again.
  await takeBack(run, services, signal);
  if (signal.aborted) return false;
  const event = promotionEvent(promotion, freight, {
    phase: "Aborted",
    message: status.message ?? "",
    at: services.now(),
    actor: annotations?.[keys.createActor] ?? request.actor ?? controllerActor,
  });
  const gates = await gateRemovals(store, project, uid);
  await run.save([...run.cleanUp, ...gates, { op: "event", event }]);
  await leave(services, uid);
  return true;
}

/** Leaves nothing of a promotion that was deleted. */
export async function forget(services: Services, promotion: Promotion): Promise<void> {
  const { namespace: project, uid = "" } = promotion.metadata;
  const owned: ResourceRef[] = [];
  for (const kind of ["Gate", "Secret"]) {
    const found = await services.store.list({ kind, project, labels: { [keys.promotionUid]: uid } });
    owned.push(...found.map(refOf));
  }
  await services.store.write(owned.map((ref) => ({ op: "delete", ref })));
  await leave(services, uid);
}

export async function findFreight(
  { store }: Pick<Services, "store">,
  { metadata, spec }: Promotion,
): Promise<Freight | undefined> {
  const ref = { kind: "Freight", project: metadata.namespace, name: spec.freight ?? "" };
  return (await store.get(ref)) as Freight | undefined;
}

/** Removes what a promotion has on disk beside its record. Done again, it does no more. */
async function leave({ store, folders, onError }: Services, uid: string): Promise<void> {
  await folders.remove(uid).catch(onError);
  await store.forgetJournal(uid);
}
