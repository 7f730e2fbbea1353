import type { Expressions } from "#core/expressions/expressions.ts";
import type { GateLinks } from "#core/promotion/gate-links.ts";
import type { Gates } from "#core/promotion/gates.ts";
import type { KnownStep } from "#core/resources/check.ts";
import type { CustomPromotionStep } from "#core/resources/custom-promotion-step.ts";
import type { Freezes } from "#core/stages/freezes.ts";
import type { StageOperations } from "#core/stages/operations.ts";
import type { Store } from "#core/store/store.ts";
import type { OidcVerifier } from "#server/auth/oidc-verifier.ts";
import type { Limits } from "#server/limits.ts";

/**
 * All that the server needs of the rest of the daemon. The server reads the store itself; whatever follows
 * rules of the domain goes through one of the operations, so that HTTP cannot do what a reconciler would not.
 */
export interface Services {
  store: Store;
  stages: StageOperations;
  freezes: Freezes;
  gates: Gates;
  gateLinks: GateLinks;
  /** The kinds of steps that there are beside those of CustomPromotionSteps. */
  steps: readonly KnownStep[];
  /** What came of the plugins that the settings name; none without it. */
  plugins?: PluginReport;
  /** Reads the step that an image describes; absent where no containers are run. Throws a UserError. */
  describeStepImage?(request: {
    image: string;
    pullSecrets: readonly string[];
  }): Promise<CustomPromotionStep>;
  /** Evaluates what users wrote into webhook receivers. */
  expressions: Pick<Expressions, "evaluate" | "evaluateTemplate">;
  /** The administrator's token. It is also the password that `kargo login --admin` asks for. */
  token: string;
  /** The identity provider whose tokens are taken, where there is one. */
  oidc?: OidcVerifier;
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

export interface PluginReport {
  loaded: readonly { name: string; version: string; steps: readonly string[] }[];
  /** What was left out, and why. */
  problems: readonly { plugin: string; message: string }[];
}

/** Whether the daemon does its work, loop by loop. */
export interface Readiness {
  loops: { name: string; turning: boolean; lastTurn?: string }[];
}

export interface ServerLog {
  info(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
}
