import type { Gates } from "#core/promotion/gates.ts";
import type { FieldError } from "#core/resources/field-error.ts";
import type { Freight } from "#core/resources/freight.ts";
import type { Resource, ResourceRef } from "#core/resources/resource.ts";
import type { Store } from "#core/store/store.ts";

/**
 * All that the server needs of the rest of the daemon. The server reads the store itself; whatever follows
 * rules of the domain goes through one of the operations, so that HTTP cannot do what a reconciler would not.
 */
export interface Services {
  store: Store;
  scheduler: { enqueue(ref: ResourceRef): void };
  stages: StageOperations;
  freight: FreightOperations;
  gates: Gates;
  /** What is wrong with a resource beyond its schema and Kargo's rules: steps that no one knows, and the like. */
  check?(resource: Resource): FieldError[];
  /** Evaluates what users wrote into webhook receivers. */
  expressions: ExpressionEvaluator;
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

export interface StageOperations {
  /**
   * Makes the Promotion that the stage's template asks for and records its event. Exactly one of `freight` (a
   * name) and `origin` is given. Fails with a UserError when the freight is not available to the stage.
   */
  promote(request: PromoteRequest): Promise<Resource>;
  /** Freight that the stage may take, for whatever reason, in no particular order. */
  availableFreight(project: string, stage: string): Promise<Resource[]>;
}

export interface FreightOperations {
  /**
   * Completes freight that a person declares (the name that follows from its contents, an alias, when it was
   * found) and checks it against its Warehouse. Writes nothing. Fails with a UserError.
   */
  prepare(freight: Freight): Promise<Freight>;
}

export interface PromoteRequest {
  project: string;
  stage: string;
  freight?: string;
  origin?: { kind: "Warehouse"; name: string };
  /** Who asks, as Kargo writes actors. */
  actor: string;
}

export interface ExpressionEvaluator {
  evaluate(expression: string, scope: ExpressionScope): Promise<unknown>;
  evaluateTemplate(template: string, scope: ExpressionScope): Promise<unknown>;
}

export interface ExpressionScope {
  env: Record<string, unknown>;
  functions: Record<string, (...args: unknown[]) => unknown>;
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
