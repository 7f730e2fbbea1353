import { aliasLabel, uniqueAlias } from "#core/artifacts/prepare-freight.ts";
import { StepFailure } from "#core/failure.ts";
import type { Freight } from "#core/resources/freight.ts";
import { formatRef, type Resource, type ResourceRef } from "#core/resources/resource.ts";
import type { StepResources } from "#core/step.ts";
import { ConflictError, type Store, TakenError, type Write } from "#core/store/store.ts";

const tries = 10;

/** The part of its own project that a step may see and change. */
export function createStepResources(store: Store, project: string): StepResources {
  /** Changes a resource as it stands at the moment of writing. */
  async function change(
    ref: ResourceRef,
    toWrite: (resource: Resource) => Write,
    also: readonly Write[] = [],
  ): Promise<void> {
    for (let left = tries; ; left -= 1) {
      const resource = await store.get(ref);
      if (resource === undefined) {
        throw new StepFailure("errored", `Cannot change ${formatRef(ref)}: there is none`);
      }
      try {
        await store.write([toWrite(resource), ...also]);
        return;
      } catch (error) {
        if (!(error instanceof ConflictError) || left === 1) throw error;
      }
    }
  }

  return {
    async get(kind, name) {
      if (kind === "Secret") {
        throw new StepFailure("refused", `Cannot read Secret "${name}": steps get credentials, not secrets`);
      }
      return await store.get({ kind, project, name });
    },
    async setMetadata(kind, name, values) {
      const ref = { kind, project, name };
      await change(ref, ({ status, metadata }) => {
        const old = (status ?? {}) as { metadata?: object };
        return {
          op: "status",
          ref,
          status: { ...old, metadata: { ...old.metadata, ...values } },
          resourceVersion: metadata.resourceVersion,
        };
      });
    },
    async setFreightAlias(name, alias) {
      const ref = { kind: "Freight", project, name };
      const rename = (resource: Resource): Write => {
        const freight = resource as Freight;
        const labels = { ...freight.metadata.labels, [aliasLabel]: alias };
        const renamed = { ...freight, alias, metadata: { ...freight.metadata, labels } };
        return { op: "update", resource: renamed as Resource };
      };
      await change(ref, rename, [uniqueAlias(ref)]).catch((cause) => {
        if (!(cause instanceof TakenError)) throw cause;
        const what = `Cannot give Freight "${name}" the alias "${alias}"`;
        throw new StepFailure("failed", `${what}: another freight of the project has it`, { cause });
      });
    },
  };
}
