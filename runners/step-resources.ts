import { StepFailure } from "#core/failure.ts";
import type { Freight } from "#core/resources/freight.ts";
import { formatRef, type Resource, type ResourceRef } from "#core/resources/resource.ts";
import type { StepResources } from "#core/step.ts";
import { ConflictError, type Store, type Write } from "#core/store/store.ts";

const tries = 10;
const aliasLabel = "kargo.akuity.io/alias";

/** The part of its own project that a step may see and change. */
export function createStepResources(store: Store, project: string): StepResources {
  /** Changes a resource as it stands at the moment of writing. */
  async function change(ref: ResourceRef, toWrite: (resource: Resource) => Write): Promise<void> {
    for (let left = tries; ; left -= 1) {
      const resource = await store.get(ref);
      if (resource === undefined) {
        throw new StepFailure("errored", `Cannot change ${formatRef(ref)}: there is none`);
      }
      try {
        await store.write([toWrite(resource)]);
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
      const others = await store.list({ kind: "Freight", project, labels: { [aliasLabel]: alias } });
      if (others.some(({ metadata }) => metadata.name !== name)) {
        throw new StepFailure(
          "failed",
          `Cannot give Freight "${name}" the alias "${alias}": another freight of the project has it`,
        );
      }
      await change({ kind: "Freight", project, name }, (resource) => {
        const freight = resource as Freight;
        const labels = { ...freight.metadata.labels, [aliasLabel]: alias };
        return { op: "update", resource: { ...freight, alias, metadata: { ...freight.metadata, labels } } };
      });
    },
  };
}
