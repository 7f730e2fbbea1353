import type { z } from "zod";
import type { ArgoConnection } from "#core/argocd/connection.ts";
import type { ContainerJob, JobEnd } from "#core/container-job.ts";
import type { CredentialSource } from "#core/credentials/credentials.ts";
import type { AnsweredGate, GateAnswer, GateAnswerByStep, GateRequest } from "#core/gate.ts";
import type { ChannelName, ChannelType, OutgoingMessage, SentMessage } from "#core/notifications/message.ts";
import type { FreightReference } from "#core/resources/freight.ts";
import type { Resource } from "#core/resources/resource.ts";
import type { FreightRequest } from "#core/resources/stage.ts";
import type { Workspace } from "#core/workspace.ts";

/** A step's output: what later steps read as `outputs.<alias>`. JSON values only. */
export type StepOutput = Record<string, unknown>;

/** What a step returns. What goes wrong is thrown, as a StepFailure. */
export type Outcome =
  | { status: "succeeded"; output?: StepOutput; message?: string; healthCheck?: HealthCheck }
  | { status: "skipped"; message: string; output?: StepOutput }
  | { status: "waiting"; message: string; retryInSeconds: number; output?: StepOutput };

/** What the stage's health is to be judged by from now on. `uses` names a health checker. */
export interface HealthCheck {
  uses: string;
  config: Record<string, unknown>;
}

/** The step did its work. Without an output, later steps see an empty one. */
export function succeeded(
  output?: StepOutput,
  extra: { message?: string; healthCheck?: HealthCheck } = {},
): Outcome {
  return output === undefined ? { status: "succeeded", ...extra } : { status: "succeeded", output, ...extra };
}

/** There was nothing to do; the promotion goes on as after a success. */
export function skipped(message: string, output?: StepOutput): Outcome {
  return output === undefined ? { status: "skipped", message } : { status: "skipped", message, output };
}

/**
 * The step is not done and does not fail: it is run again in `retryInSeconds`, or earlier when something
 * wakes the promotion. Use Infinity when only a wake-up can bring news. Waiting holds no resources.
 */
export function waiting(message: string, retryInSeconds: number, output?: StepOutput): Outcome {
  return output === undefined
    ? { status: "waiting", message, retryInSeconds }
    : { status: "waiting", message, retryInSeconds, output };
}

export interface ExecOptions {
  /** Absolute, or relative to the workspace; the workspace by default. */
  cwd?: string;
  /** Added to a minimal environment; nothing of the daemon's own is passed on. */
  env?: Record<string, string>;
  input?: string | Uint8Array;
  timeoutSeconds?: number;
  /** Exit codes that are answers and not failures; [0] by default. */
  exitCodes?: readonly number[];
  /** Bytes of each stream that are kept; what comes after them fails the call. 64 MiB by default. */
  maxOutputBytes?: number;
}

export interface ExecResult {
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** Runs a program by an argument array, never through a shell; the abort signal ends it and its children. */
export type Exec = (program: string, args: readonly string[], options?: ExecOptions) => Promise<ExecResult>;

/** Like the global fetch, under the egress rules, with a time-out and a bound on the body. */
export type Fetch = (url: string | URL, init?: FetchOptions) => Promise<Response>;

export interface FetchOptions extends RequestInit {
  /** Of the whole exchange, body included; 30 by default. */
  timeoutSeconds?: number;
  /** Longer bodies fail while they are read; 10 MiB by default. */
  maxBodyBytes?: number;
  insecureSkipTLSVerify?: boolean;
  /** In PEM: what servers' certificates are checked against, in place of the system's. */
  caCertificates?: string;
  /** URL of a proxy; the rules hold for the proxy's address and for the target's. */
  proxy?: string;
}

export interface StepLog {
  info(text: string): void;
  warn(text: string): void;
}

/** A command in a container; `key` tells the jobs of one promotion apart. */
export type StepJob = Omit<ContainerJob, "project" | "owner">;

/** All that a step can reach of the world. */
export interface StepContext {
  readonly project: string;
  readonly stage: string;
  readonly promotion: string;
  /** The step's name in its promotion: `as`, or `step-N`. */
  readonly alias: string;
  /** Who asked for the promotion, as Kargo writes actors; "" when nobody is known. */
  readonly actor: string;
  readonly uiBaseUrl: string;
  /** The same for every attempt of this step in this promotion, and for no other step. */
  readonly idempotencyKey: string;
  /** When this step was first started; RFC 3339. */
  readonly startedAt: string;
  readonly workspace: Workspace;
  /** The promotion's freight, inherited freight of other origins included. */
  readonly freight: readonly FreightReference[];
  readonly targetFreight: FreightReference | undefined;
  /** What the stage requests: tells whether an artifact could come from several origins. */
  readonly freightRequests: readonly FreightRequest[];
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly credentials: CredentialSource;
  /** Who commits when a step names nobody, as the ClusterConfig says; what it leaves out has defaults. */
  gitUser?(): Promise<{ name?: string; email?: string; signingKey?: string } | undefined>;
  /** Bytes that oci-push may copy from one repository to another; negative for any number. 1 GiB without it. */
  readonly maxOciPushBytes?: number | undefined;
  /** The Argo CD that the stage deploys with; undefined where none is told of. */
  argocd?(): Promise<ArgoConnection | undefined>;
  readonly log: StepLog;
  /** Aborted when the promotion is aborted, the step times out or the daemon stops. */
  readonly signal: AbortSignal;

  exec: Exec;
  fetch: Fetch;
  now(): Date;
  /**
   * Performs an effect once for this step: its result is journalled, and after a crash or on another
   * attempt the recorded result is returned instead. The result must be JSON. A failed effect is not recorded.
   */
  once<T>(key: string, effect: () => Promise<T>): Promise<T>;
  /** What `once` has recorded for this step under the key; undefined without a record. */
  recorded(key: string): Promise<{ value: unknown } | undefined>;
  /** Runs `work` while no other step of this daemon runs work under the same key; first come, first served. */
  exclusively<T>(key: string, work: () => Promise<T>): Promise<T>;
  /** A folder that outlives the promotion and is shared by all of them, created on demand. */
  cacheFolder(name: string): Promise<string>;
  /** Opens this step's gate, or tells how it stands. A step has one gate; asking again changes nothing. */
  gate(request: GateRequest): Promise<GateAnswer>;
  /** Answers a gate of another stage. Throws a UserError when that does not take it. */
  answerGate(answer: GateAnswerByStep): Promise<AnsweredGate>;
  /** Runs a command in a container to its end. Throws a StepFailure when it could not be run at all. */
  runJob(job: StepJob): Promise<JobEnd>;
  /** The project's message channels, and those for all; absent where there are none to write to. */
  readonly messages?: StepMessages | undefined;
  /** The project's own resources: read any kind but Secret, change only Stage and Freight metadata. */
  readonly resources: StepResources;
}

/** Throws a DeliveryFailure where a channel is not there or does not take a message. */
export interface StepMessages {
  typeOf(channel: ChannelName): Promise<ChannelType>;
  send(channel: ChannelName, message: Omit<OutgoingMessage, "id">): Promise<SentMessage>;
}

export interface StepResources {
  get(kind: string, name: string): Promise<Resource | undefined>;
  /** Merges into `status.metadata` of a Stage or a Freight of the project. */
  setMetadata(kind: "Stage" | "Freight", name: string, values: Record<string, unknown>): Promise<void>;
  setFreightAlias(freight: string, alias: string): Promise<void>;
}

export interface StepExample {
  title: string;
  /** One step, as it stands in a promotion template. */
  yaml: string;
}

export interface StepDefinition<Config extends z.ZodType = z.ZodType, Output extends z.ZodType = z.ZodType> {
  /** What `uses:` says. */
  name: string;
  /** One sentence. */
  summary: string;
  /** What a user must know beyond the fields; Markdown. */
  notes?: string;
  config: Config;
  output: Output;
  examples: readonly StepExample[];
  /** Used where the template sets no `retry.timeout`; no time-out without it. */
  defaultTimeoutSeconds?: number;
  /** Used where the template sets no `retry.errorThreshold`; 1 without it. */
  defaultErrorThreshold?: number;
  /** The output joins the outputs of the task that the step stands in. */
  taskOutput?: boolean;
  /** May run twice: after a crash, and on each attempt. The second time must do no harm. */
  run(config: z.output<Config>, ctx: StepContext): Promise<Outcome>;
  /**
   * Called when a promotion is aborted that has begun the step, however far that came: takes back what must not
   * stay. May run twice. What it throws is told in the log.
   */
  takeBack?(config: z.output<Config>, ctx: StepContext): Promise<void>;
}

/** Declares a step; what it says is all that the engine, the documents and the editors know of it. */
export function defineStep<Config extends z.ZodType, Output extends z.ZodType>(
  definition: StepDefinition<Config, Output>,
): StepDefinition<Config, Output> {
  return definition;
}
