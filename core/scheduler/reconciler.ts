import type { ResourceRef } from "#core/resources/resource.ts";
import type { ResourceChange } from "#core/store/store.ts";

/**
 * Brings one kind of resource to where it is wanted: reads it, compares with the world, acts, writes status.
 *
 * `reconcile` is called for one key at a time, and may be called when nothing has changed or when the
 * resource is gone. What it throws is tried again after a growing pause. Once the signal is aborted it must
 * come to an end; what it throws then counts for nothing.
 */
export interface Reconciler {
  kind: string;
  /** Keys that are reconciled at the same time. */
  concurrency: number;
  /** A run that takes longer makes the daemon unhealthy; 900 by default. */
  maxSeconds?: number;
  /** Returns when to call it again at the latest; this replaces what an earlier call returned for the key. */
  reconcile(ref: ResourceRef, signal: AbortSignal): Promise<{ requeueAfterSeconds?: number } | undefined>;
  /** The keys of this kind that a change of any resource is news for. Called for every change: be quick. */
  enqueueFor?(change: ResourceChange): readonly ResourceRef[];
  /** The keys to look at when the daemon starts, besides those with a due time. */
  initial?(): Promise<readonly ResourceRef[]>;
}
