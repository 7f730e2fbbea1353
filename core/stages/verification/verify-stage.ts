import { randomUUID } from "node:crypto";
import { shortLabelValue } from "#core/promotion/build.ts";
import { referencesOf } from "#core/promotion/freight-collection.ts";
import type { AnalysisRun } from "#core/resources/analysis-run.ts";
import type { FreightCollection, VerificationInfo } from "#core/resources/freight.ts";
import { setCondition } from "#core/stages/conditions.ts";
import { freightVerified } from "#core/stages/events.ts";
import { takeBackVerification, verify } from "#core/stages/freight-status.ts";
import { keys } from "#core/stages/keys.ts";
import type { StagePass, StageServices } from "#core/stages/pass.ts";
import { toTime } from "#core/stages/times.ts";
import { buildAnalysisRun } from "#core/stages/verification/build-run.ts";
import { creationOf } from "#core/stages/verification/hidden-arguments.ts";
import { abortedMessage, isOver, record } from "#core/stages/verification/phases.ts";
import { type VerificationRequest, verificationRequest } from "#core/stages/verification/requests.ts";
import { verifiedCondition } from "#core/stages/verification/verified-condition.ts";

type Services = Pick<StageServices, "store" | "expressions" | "functionsFor" | "masker">;

/** Starts, follows and ends the verification of what the stage holds. */
export async function verifyStage(pass: StagePass, services: Services): Promise<void> {
  const { stage } = pass;
  const collection = stage.status.freightHistory?.[0];
  if (collection === undefined) {
    const message = "Stage has no current Freight to verify";
    setVerified(pass, { status: "Unknown", reason: "NoFreight", message });
    return;
  }
  if (stage.status.currentPromotion !== undefined) return;
  const verification = await nextVerification(pass, services, collection);
  if (verification !== undefined) {
    record(collection, verification);
    if (isOver(verification.phase)) await tellOfEnd(pass, services, collection, verification);
  }
  const condition = verifiedCondition(collection);
  if (condition !== undefined) setVerified(pass, condition);
}

/**
 * Has the freight tell that it is verified in the stage, or, when a later verification failed, that it is
 * not any more.
 */
export async function markFreight({ stage, freight: desk }: StagePass): Promise<void> {
  const { freightHistory, health } = stage.status;
  const [collection] = freightHistory ?? [];
  const [latest] = collection?.verificationHistory ?? [];
  for (const { name } of referencesOf(collection)) {
    const freight = await desk.find(name);
    if (freight === undefined) continue;
    const status = freight.status ?? {};
    if (latest?.phase === "Failed" && latest.message !== abortedMessage) {
      desk.change(freight, takeBackVerification(status, stage.metadata.name));
    } else if (latest?.phase === "Successful" && health?.status === "Healthy") {
      desk.change(freight, verify(status, stage.metadata.name, latest.finishTime ?? ""));
    }
  }
}

/** The verification as it now stands; undefined when there is nothing to say. */
async function nextVerification(
  pass: StagePass,
  services: Services,
  collection: FreightCollection,
): Promise<VerificationInfo | undefined> {
  const { stage, now } = pass;
  const [latest] = collection.verificationHistory ?? [];
  const reverify = verificationRequest(stage.metadata, keys.reverify);
  if (latest !== undefined && !isOver(latest.phase)) {
    const abort = verificationRequest(stage.metadata, keys.abort);
    if (abort !== undefined && abort.id === latest.id) return endRun(pass, services, latest, abort);
    return followRun(pass, services, latest);
  }
  if (latest !== undefined && reverify?.id !== latest.id) return undefined;
  if (stage.status.health?.status !== "Healthy") return undefined;

  const actor = latest === undefined ? undefined : reverify?.actor;
  const begun: VerificationInfo = { id: randomUUID(), startTime: toTime(now), ...(actor ? { actor } : {}) };
  if (stage.spec.verification === undefined) {
    return { ...begun, finishTime: toTime(now), phase: "Successful" };
  }
  return startRun(pass, services, collection, begun, reverify);
}

async function startRun(
  pass: StagePass,
  services: Services,
  collection: FreightCollection,
  begun: VerificationInfo,
  reverify: VerificationRequest | undefined,
): Promise<VerificationInfo> {
  const { stage, now, writes } = pass;
  const { namespace = "", name } = stage.metadata;
  const [latest] = collection.verificationHistory ?? [];
  if (reverify === undefined) {
    const existing = await findRun(services, stage, collection);
    if (existing !== undefined) {
      const outcome = outcomeOf(existing, now);
      // It is known from now on, though it was found out before.
      return { ...begun, ...outcome, ...(outcome.finishTime ? { finishTime: toTime(now) } : {}) };
    }
  }
  const isOfPromotion =
    latest === undefined || (reverify?.controlPlane === true && reverify.actor !== undefined);
  const promotion = isOfPromotion ? stage.status.lastPromotion?.name : undefined;
  try {
    const run = await buildAnalysisRun(services, { stage, collection, freight: pass.freight, promotion });
    writes.push(...creationOf(run, services.masker));
    return { ...begun, phase: "Pending", analysisRun: { namespace, name: run.metadata.name, phase: "" } };
  } catch (error) {
    const why = services.masker.mask(error instanceof Error ? error.message : String(error));
    const message = `error building AnalysisRun for Stage "${name}" and Freight collection "${collection.id}" in namespace "${namespace}": ${why}`;
    return { ...begun, finishTime: toTime(now), phase: "Error", message };
  }
}

/** The newest run for this stage and freight: promoting the same freight again does not verify it again. */
async function findRun(
  { store }: Services,
  { metadata }: StagePass["stage"],
  collection: FreightCollection,
): Promise<AnalysisRun | undefined> {
  const labels = { [keys.stage]: shortLabelValue(metadata.name), [keys.freightCollection]: collection.id };
  const [newest] = await store.list({ kind: "AnalysisRun", project: metadata.namespace, labels, limit: 1 });
  return newest as AnalysisRun | undefined;
}

async function followRun(
  { stage, now }: StagePass,
  { store }: Services,
  latest: VerificationInfo,
): Promise<VerificationInfo> {
  const { analysisRun } = latest;
  const run = await store.get({
    kind: "AnalysisRun",
    project: stage.metadata.namespace,
    name: analysisRun?.name ?? "",
  });
  if (run !== undefined) return { ...latest, ...outcomeOf(run as AnalysisRun, now) };
  const message = `AnalysisRun "${analysisRun?.name ?? ""}" not found in namespace "${stage.metadata.namespace}"`;
  return { ...latest, finishTime: toTime(now), phase: "Error", message };
}

async function endRun(
  { stage, now, writes }: StagePass,
  { store }: Services,
  latest: VerificationInfo,
  { actor = latest.actor }: VerificationRequest,
): Promise<VerificationInfo> {
  const ref = {
    kind: "AnalysisRun",
    project: stage.metadata.namespace,
    name: latest.analysisRun?.name ?? "",
  };
  const run = await store.get(ref);
  if (run !== undefined) {
    run.spec = { ...(run as AnalysisRun).spec, terminate: true };
    writes.push({ op: "update", resource: run });
  }
  return {
    ...latest,
    ...(actor ? { actor } : {}),
    finishTime: toTime(now),
    phase: "Failed",
    message: abortedMessage,
  };
}

function outcomeOf({ metadata, status = {} }: AnalysisRun, now: Date): Partial<VerificationInfo> {
  const { phase = "Pending", message, completedAt } = status;
  return {
    phase,
    ...(message ? { message } : {}),
    ...(isOver(phase) ? { finishTime: completedAt ?? toTime(now) } : {}),
    analysisRun: { namespace: metadata.namespace ?? "", name: metadata.name, phase },
  };
}

async function tellOfEnd(
  { stage, freight: desk, writes, now }: StagePass,
  { store }: Services,
  collection: FreightCollection,
  verification: VerificationInfo,
): Promise<void> {
  const name = verification.analysisRun?.name;
  const run =
    name === undefined
      ? undefined
      : await store.get({ kind: "AnalysisRun", project: stage.metadata.namespace, name });
  const promotion = run?.metadata.annotations?.[keys.promotion];
  for (const reference of referencesOf(collection)) {
    const freight = await desk.find(reference.name);
    if (freight === undefined) continue;
    const event = freightVerified(freight, stage.metadata.name, verification, { at: now, promotion });
    writes.push({ op: "event", event });
  }
}

function setVerified(
  { stage, now }: StagePass,
  condition: { status: "True" | "False" | "Unknown"; reason: string; message: string },
): void {
  const { generation: observedGeneration } = stage.metadata;
  setCondition(stage.status, { type: "Verified", ...condition, observedGeneration }, now);
}
