import type { Expressions } from "#core/expressions/expressions.ts";
import type { Gates } from "#core/promotion/gates.ts";
import type { KnownStep } from "#core/resources/check.ts";
import type { StageOperations } from "#core/stages/operations.ts";
import type { Store } from "#core/store/store.ts";

/**
 * All that the server needs of the rest of the daemon. The server reads the store itself; whatever follows
 * rules of the domain goes through one of the operations, so that HTTP cannot do what a reconciler would not.
 */
export interface Services {
  store: Store;
  stages: StageOperations;
  gates: Gates;
  /** The kinds of steps that there are beside those of CustomPromotionSteps. */
  steps: readonly KnownStep[];
  /** Evaluates what users wrote into webhook receivers. */
  expressions: Pick<Expressions, "evaluate" | "evaluateTemplate">;
  /** The administrator's token. It is also the password that `kargo login --admin` asks for. */
  token: string;
  /** Where people and webhooks reach this server from outside, without a slash at the end. */
  publicUrl: string;
  version: string;
  now(): Date;
  limits: Limits;
  readiness(): Readiness;
  log: ServerLog;
  /** Aborted when the daemon stops: open streams then end, so that nobody waits for their readers. */
  closing: AbortSignal;
  /** Prometheus text of the rest of the daemon, appended to the server's own metrics. */
  metrics?: () => Promise<string>;
}

/** Bounds of the server's work. */
export interface Limits {
  /** Of one request's body, in bytes: manifests, webhooks, and everything else. */
  manifestBytes: number;
  webhookBytes: number;
  bodyBytes: number;
  /** Streams open at once, and changes that one of them may lag behind before it is ended. */
  streams: number;
  streamBacklog: number;
  /** How long a login lasts. */
  sessionSeconds: number;
}

export const defaultLimits: Limits = {
  manifestBytes: 4 * 1024 * 1024,
  webhookBytes: 2 * 1024 * 1024,
  bodyBytes: 1024 * 1024,
  streams: 256,
  streamBacklog: 1000,
  sessionSeconds: 24 * 60 * 60,
};

/** Whether the daemon does its work, loop by loop. */
export interface Readiness {
  loops: { name: string; turning: boolean; lastTurn?: string }[];
}

export interface ServerLog {
  info(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}
