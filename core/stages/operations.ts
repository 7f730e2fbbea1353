import { UserError } from "#core/failure.ts";
import { abortAnnotation } from "#core/promotion/abort.ts";
import { isFinished } from "#core/promotion/final-phase.ts";
import { type Freight, originKey, type VerificationInfo } from "#core/resources/freight.ts";
import type { Promotion } from "#core/resources/promotion.ts";
import { formatRef, type Resource, type ResourceRef, refOf } from "#core/resources/resource.ts";
import type { Stage } from "#core/resources/stage.ts";
import { isControlFlow, isFreightAvailable, listAvailableFreight } from "#core/stages/availability.ts";
import {
  createPromotion,
  getStage,
  type PromotionRequest,
  type PromotionServices,
} from "#core/stages/create-promotion.ts";
import { freightApproved } from "#core/stages/events.ts";
import { approve, isApprovedFor } from "#core/stages/freight-status.ts";
import { keys } from "#core/stages/keys.ts";
import { isOver } from "#core/stages/verification/phases.ts";
import { retryConflicts } from "#core/store/retry-conflicts.ts";
import type { Store } from "#core/store/store.ts";

/** What people and clients of the API do with stages. All that cannot be done is a UserError. */
export interface StageOperations {
  promote(request: PromotionRequest): Promise<Promotion>;
  /**
   * Promotes freight to every stage right after this one. It must be available to all of them, or nothing
   * happens. A promotion that cannot be made for another reason keeps none of the others from being made.
   */
  promoteDownstream(
    request: Required<Pick<PromotionRequest, "project" | "stage" | "freight" | "actor">> &
      Pick<PromotionRequest, "windowOverride">,
  ): Promise<{ promotions: Promotion[]; errors: Error[] }>;
  /** Freight that the stage may take, for whatever reason. */
  availableFreight(project: string, stage: string): Promise<Freight[]>;
  /** Lets the stage take the freight without a verification upstream. */
  approveFreight(request: { project: string; stage: string; freight: string; actor: string }): Promise<void>;
  /** Verifies what the stage holds once more. */
  reverify(request: { project: string; stage: string; actor: string }): Promise<void>;
  /** Ends the verification that is under way; does nothing when none is. */
  abortVerification(request: { project: string; stage: string; actor: string }): Promise<void>;
  /** Ends a promotion that is queued, waiting or running; does nothing when it is over. */
  abortPromotion(request: { project: string; promotion: string; actor: string }): Promise<void>;
}

export function createStageOperations(services: PromotionServices): StageOperations {
  const { store, now } = services;

  async function findDownstream(project: string, stage: string, freight: Freight): Promise<Stage[]> {
    const stages = (await store.list({ kind: "Stage", project })) as Stage[];
    const origin = originKey(freight.origin);
    return stages.filter(({ spec }) =>
      spec.requestedFreight.some(
        (one) => originKey(one.origin) === origin && one.sources.stages?.includes(stage),
      ),
    );
  }

  return {
    promote: (request) => createPromotion(services, request),

    async promoteDownstream({ project, stage, freight: name, actor, windowOverride }) {
      await getStage(store, project, stage);
      const freight = await getFreight(store, project, name);
      const downstream = await findDownstream(project, stage, freight);
      if (downstream.length === 0) {
        throw new UserError(`Stage "${stage}" has no downstream stages`, { status: 404 });
      }
      for (const one of downstream) {
        if (isFreightAvailable(one, freight, now())) continue;
        throw new UserError(`Freight "${name}" is not available to downstream Stage "${one.metadata.name}"`);
      }
      const promotions: Promotion[] = [];
      const errors: Error[] = [];
      for (const { metadata } of downstream.filter((one) => !isControlFlow(one))) {
        try {
          promotions.push(
            await createPromotion(services, {
              project,
              stage: metadata.name,
              freight: name,
              actor,
              windowOverride,
            }),
          );
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
          errors.push(error);
        }
      }
      return { promotions, errors };
    },

    async availableFreight(project, name) {
      return await listAvailableFreight(store, await getStage(store, project, name), now());
    },

    async approveFreight({ project, stage: stageName, freight: name, actor }) {
      const stage = await getStage(store, project, stageName);
      const freight = await getFreight(store, project, name);
      const origin = originKey(freight.origin);
      if (!stage.spec.requestedFreight.some((request) => originKey(request.origin) === origin)) {
        throw new UserError(`Stage "${stageName}" does not request Freight from origin "${origin}"`);
      }
      await retryConflicts(async () => {
        const latest = await getFreight(store, project, name);
        if (isApprovedFor(latest, stageName)) return;
        await store.write([
          {
            op: "status",
            ref: refOf(latest),
            status: approve(latest.status ?? {}, stageName, now()),
            resourceVersion: latest.metadata.resourceVersion,
          },
          { op: "event", event: freightApproved(latest, stageName, actor, now()) },
        ]);
      });
    },

    async reverify({ project, stage, actor }) {
      const { id } = currentVerification(await getStage(store, project, stage));
      await annotate(
        store,
        { kind: "Stage", project, name: stage },
        keys.reverify,
        JSON.stringify({ id, actor }),
      );
    },

    async abortVerification({ project, stage, actor }) {
      const { id, phase } = currentVerification(await getStage(store, project, stage));
      if (isOver(phase)) return;
      await annotate(
        store,
        { kind: "Stage", project, name: stage },
        keys.abort,
        JSON.stringify({ id, actor }),
      );
    },

    async abortPromotion({ project, promotion: name, actor }) {
      const ref = { kind: "Promotion", project, name };
      const promotion = (await store.get(ref)) as Promotion | undefined;
      if (promotion === undefined) {
        throw new UserError(`Promotion "${name}" not found in project "${project}"`, { status: 404 });
      }
      if (isFinished(promotion.status?.phase)) return;
      await annotate(store, ref, keys.abort, abortAnnotation(actor));
    },
  };
}

async function getFreight(store: Store, project: string, name: string): Promise<Freight> {
  const freight = await store.get({ kind: "Freight", project, name });
  if (freight !== undefined) return freight as Freight;
  throw new UserError(`Freight "${name}" not found in project "${project}"`, { status: 404 });
}

function currentVerification({ metadata, status }: Stage): VerificationInfo {
  const held = status?.freightHistory?.[0];
  if (Object.keys(held?.items ?? {}).length === 0) {
    throw new UserError(`Stage "${metadata.name}" has no current freight`);
  }
  const verification = held?.verificationHistory?.[0];
  if (!verification?.id) throw new UserError(`Stage "${metadata.name}" has no current verification`);
  return verification;
}

/** Sets an annotation, by which a resource's reconciler is asked for something. */
async function annotate(store: Store, ref: ResourceRef, key: string, value: string): Promise<void> {
  await retryConflicts(async () => {
    const resource: Resource | undefined = await store.get(ref);
    if (resource === undefined) throw new UserError(`${formatRef(ref)} not found`, { status: 404 });
    resource.metadata.annotations = { ...resource.metadata.annotations, [key]: value };
    await store.write([{ op: "update", resource }]);
  });
}
