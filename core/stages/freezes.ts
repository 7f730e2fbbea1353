import { UserError } from "#core/failure.ts";
import { abortAnnotation } from "#core/promotion/abort.ts";
import type { Promotion } from "#core/resources/promotion.ts";
import { type Resource, refOf } from "#core/resources/resource.ts";
import { audited } from "#core/stages/audited.ts";
import { getStage, type PromotionServices } from "#core/stages/create-promotion.ts";
import {
  describeFreeze,
  describeScope,
  type FreezeResource,
  type FreezeScope,
  type FreezeSpec,
  freezeEvent,
  freezeRef,
  newFreeze,
} from "#core/stages/freeze.ts";
import { keys } from "#core/stages/keys.ts";
import { retryConflicts } from "#core/store/retry-conflicts.ts";

/** Stops the line, and lets it go on. All that cannot be done is a UserError. */
export interface Freezes {
  /** Those that a project is under; with no project, all there are. */
  list(project?: string): Promise<FreezeSpec[]>;
  /**
   * Keeps promotions from starting. A scope that is frozen already gets the new reason. With `abort`, what runs in
   * it is ended as well.
   */
  freeze(request: FreezeScope & { reason: string; actor: string; abort?: boolean }): Promise<FreezeSpec>;
  /** Lets promotions start again, unless a wider freeze is in the way. */
  unfreeze(request: FreezeScope & { actor: string }): Promise<void>;
}

export function createFreezes({ store, now }: PromotionServices): Freezes {
  async function requireScope({ project, stage }: FreezeScope): Promise<void> {
    if (project !== undefined && stage !== undefined) await getStage(store, project, stage);
  }

  async function abortRunning({ project, stage }: FreezeScope, actor: string): Promise<void> {
    const running = (await store.list({
      kind: "Promotion",
      ...(project === undefined ? {} : { project }),
      where: { "status.phase": ["Running"], ...(stage === undefined ? {} : { "spec.stage": [stage] }) },
    })) as Promotion[];
    for (const promotion of running) {
      await retryConflicts(async () => {
        const resource: Resource | undefined = await store.get(refOf(promotion));
        if (resource === undefined) return;
        const annotations = { ...resource.metadata.annotations, [keys.abort]: abortAnnotation(actor) };
        const metadata = { ...resource.metadata, annotations };
        await store.write([{ op: "update", resource: { ...resource, metadata } }]);
      });
    }
  }

  return {
    async list(project) {
      const all = (await store.list({ kind: "Freeze" })) as FreezeResource[];
      return all
        .map(({ spec }) => spec)
        .filter((one) => project === undefined || one.project === undefined || one.project === project);
    },

    async freeze({ abort, actor, reason, ...scope }) {
      await requireScope(scope);
      const spec: FreezeSpec = { ...scope, reason, actor, since: now().toISOString() };
      const resource = newFreeze(spec);
      await retryConflicts(async () => {
        const op = (await store.get(freezeRef(scope))) === undefined ? "create" : "update";
        const message = describeFreeze(spec);
        const event = freezeEvent(scope, { frozen: true, message, actor, at: now() });
        await store.write([{ op, resource }, ...audited(event, { actor, why: reason })]);
      });
      if (abort) await abortRunning(scope, actor);
      return spec;
    },

    async unfreeze({ actor, ...scope }) {
      const ref = freezeRef(scope);
      if ((await store.get(ref)) === undefined) {
        throw new UserError(
          `There is no freeze of ${describeScope(scope).replace(/^./, (first) => first.toLowerCase())}`,
          {
            status: 404,
            hint: "`towpath freezes` lists those that are: it may be under a wider one",
          },
        );
      }
      const message = `${describeScope(scope)} is no longer frozen, says "${actor}"`;
      const event = freezeEvent(scope, { frozen: false, message, actor, at: now() });
      await store.write([{ op: "delete", ref }, ...audited(event, { actor })]);
    },
  };
}
