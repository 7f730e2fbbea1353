import type { Masker } from "#core/credentials/masker.ts";
import type { Expressions, HostFunctions } from "#core/expressions/expressions.ts";
import type { Freight, FreightReference, FreightStatus } from "#core/resources/freight.ts";
import type { PromotionPolicy } from "#core/resources/project-config.ts";
import { refOf } from "#core/resources/resource.ts";
import type { FreightRequest, Health, Stage, StageStatus } from "#core/resources/stage.ts";
import type { PromotionServices } from "#core/stages/create-promotion.ts";
import type { FreezeSpec } from "#core/stages/freeze.ts";
import type { Store, Write } from "#core/store/store.ts";
import type { Schedule } from "#core/windows/schedule.ts";

/** Judges one health check that a promotion asked for. */
export type HealthChecker = (
  check: { project: string; stage: string; config: Record<string, unknown> },
  signal: AbortSignal,
) => Promise<{ status: NonNullable<Health["status"]>; issues?: string[]; output?: Record<string, unknown> }>;

export interface StageServices extends PromotionServices {
  expressions: Pick<Expressions, "evaluateTemplate">;
  /** The functions that arguments of a verification may call: data, freight and utilities. */
  functionsFor(about: {
    project: string;
    freightRequests: readonly FreightRequest[];
    freight: readonly FreightReference[];
  }): HostFunctions;
  /** Knows the secrets that those functions handed out. */
  masker: Pick<Masker, "mask">;
  /** By what health checks name in `uses`. */
  healthCheckers?: Readonly<Record<string, HealthChecker>>;
  /** How often the health of a stage is looked at that has health checks; 300 by default. */
  healthSeconds?: number;
}

/** One look at a stage: what was found, and what is to be written once all of it is decided. */
export interface StagePass {
  /** As it was read, but for `status`, which is worked on and written at the end. */
  readonly stage: Stage & { status: StageStatus };
  readonly now: Date;
  /** What the project's settings say of the stage. */
  policy?: PromotionPolicy;
  /** While it is there, no promotion starts. */
  freeze?: FreezeSpec;
  /** Of the windows that gate the stage; absent where none does. */
  schedule?: Schedule;
  autoPromotionEnabled: boolean;
  readonly freight: FreightDesk;
  /** Written together with the status, in one transaction. */
  readonly writes: Write[];
  /** What the stage's annotations become, where they change. */
  annotations?: Record<string, string>;
  /** What kept auto-promotion from its work. All else goes on, and this is tried again. */
  problem?: unknown;
}

/** The freight that a pass looks at, and what becomes of its status. */
export interface FreightDesk {
  find(name: string): Promise<Freight | undefined>;
  /** Takes freight up that was read already. */
  take(freight: Freight): Freight;
  change(freight: Freight, status: FreightStatus): void;
  writes(): Write[];
}

export function createFreightDesk(store: Store, project: string): FreightDesk {
  const taken = new Map<string, Freight>();
  const changed = new Set<Freight>();

  function take(freight: Freight): Freight {
    const known = taken.get(freight.metadata.name);
    if (known !== undefined) return known;
    taken.set(freight.metadata.name, freight);
    return freight;
  }

  return {
    take,
    async find(name) {
      const known = taken.get(name);
      if (known !== undefined) return known;
      const freight = (await store.get({ kind: "Freight", project, name })) as Freight | undefined;
      return freight === undefined ? undefined : take(freight);
    },
    change(freight, status) {
      if (freight.status === status) return;
      freight.status = status;
      changed.add(freight);
    },
    writes: () =>
      [...changed].map((freight) => ({
        op: "status",
        ref: refOf(freight),
        status: freight.status,
        resourceVersion: freight.metadata.resourceVersion,
      })),
  };
}
