import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { ArgoConnection } from "#core/argocd/connection.ts";
import type { JobRunner } from "#core/container-jobs.ts";
import type { CredentialSource } from "#core/credentials/credentials.ts";
import type { Masker } from "#core/credentials/masker.ts";
import { createExec } from "#core/exec.ts";
import { StepFailure } from "#core/failure.ts";
import type { KeyedLock } from "#core/keyed-lock.ts";
import type { Sender } from "#core/notifications/sender.ts";
import { answerByStep } from "#core/promotion/answer-by-step.ts";
import { type GateLinks, mintPair } from "#core/promotion/gate-links.ts";
import { askGate } from "#core/promotion/gates.ts";
import type { Invocation, RunnerIO } from "#core/runner.ts";
import type { Fetch, StepContext, StepMessages } from "#core/step.ts";
import type { Store } from "#core/store/store.ts";
import type { Workspace } from "#core/workspace.ts";
import { createStepResources } from "#runners/step-resources.ts";

/** What steps of the daemon are lent of it. */
export interface StepServices {
  store: Store;
  credentialsFor(project: string): CredentialSource;
  /** A fetch under the operator's egress rules, ended by the signal. */
  fetchWith(signal: AbortSignal): Fetch;
  lock: KeyedLock;
  /** Signs links to gates, and keeps them out of what people read; steps get none without it. */
  gateLinks?: GateLinks;
  /** Brings messages to channels; steps can send none without it. */
  messages?: Sender;
  /** Keeps secrets out of what people are asked and told. */
  masker?: Pick<Masker, "mask">;
  /** Runs commands in containers; steps can run none without it. */
  jobs?: Pick<JobRunner, "run">;
  /** Absolute path of the folder that caches are kept in. */
  cacheFolder: string;
  gitUser?: StepContext["gitUser"];
  argocdFor?(project: string, stage: string): Promise<ArgoConnection | undefined>;
  maxOciPushBytes?: number | undefined;
  now(): Date;
}

/** All that one attempt at a step can reach. */
export function createStepContext(
  invocation: Invocation,
  workspace: Workspace,
  io: RunnerIO,
  services: StepServices,
): StepContext {
  const { project, stage, promotion, promotionUid, alias } = invocation;
  const { store, lock, now } = services;
  const mask = (text: string) => services.masker?.mask(text) ?? text;
  return {
    project,
    stage,
    promotion,
    alias,
    actor: invocation.actor,
    uiBaseUrl: invocation.uiBaseUrl,
    idempotencyKey: createHash("sha256").update(`${promotionUid}\0${alias}`).digest("hex").slice(0, 32),
    startedAt: invocation.startedAt,
    workspace,
    freight: invocation.freight,
    targetFreight: invocation.targetFreight,
    freightRequests: invocation.freightRequests,
    outputs: invocation.outputs,
    credentials: services.credentialsFor(project),
    gitUser: services.gitUser,
    argocd: async () => services.argocdFor?.(project, stage),
    maxOciPushBytes: services.maxOciPushBytes,
    log: {
      info: (text) => writeLines(io, "stdout", text),
      warn: (text) => writeLines(io, "stderr", text),
    },
    signal: io.signal,
    exec: createExec({ cwd: workspace.root, signal: io.signal }),
    fetch: services.fetchWith(io.signal),
    now,

    async once<T>(key: string, effect: () => Promise<T>): Promise<T> {
      const name = journalKey(alias, key);
      const recorded = await store.journal(promotionUid, name);
      if (recorded !== undefined) return recorded.value as T;
      const value = await effect();
      await store.write([{ op: "journal", scope: promotionUid, key: name, value }]);
      return value;
    },
    recorded: (key) => store.journal(promotionUid, journalKey(alias, key)),
    exclusively: (key, work) => lock.run(key, work, io.signal),
    cacheFolder: (name) => makeCacheFolder(services.cacheFolder, name),
    async gate(request) {
      const owner = { project, stage, promotion, promotionUid, alias };
      const answer = await askGate(store, owner, { ...request, message: mask(request.message) }, now());
      if (answer.state !== "open") return answer;
      const { gateLinks } = services;
      const links =
        request.links && gateLinks && mintPair(gateLinks, { ...owner, step: alias }, request.links);
      return { ...answer, url: gateUrl(invocation), ...(links && { links }) };
    },
    answerGate: (answer) =>
      answerByStep(
        store,
        { project, stage, promotion, alias, freight: invocation.targetFreight?.name },
        answer,
        now(),
      ),
    messages: services.messages && messagesOf(services.messages, invocation, io),
    async runJob(job) {
      if (services.jobs === undefined)
        throw new StepFailure(
          "refused",
          "Cannot run a command in a container: this daemon has no engine for it",
        );
      const owner = { name: promotion, uid: promotionUid };
      const { exitCode, message } = await services.jobs.run({ ...job, project, owner }, io);
      return { exitCode, message: mask(message) };
    },
    resources: createStepResources(store, project),
  };
}

function journalKey(alias: string, key: string): string {
  return `once ${alias}/${key}`;
}

/** The project's channels. The same step's message keeps its id, however often it is tried. */
function messagesOf(
  sender: Sender,
  { project, promotionUid, alias }: Invocation,
  { signal }: RunnerIO,
): StepMessages {
  const id = createHash("sha256").update(`${promotionUid}\0${alias}\0message`).digest("hex").slice(0, 32);
  return {
    typeOf: (channel) => sender.typeOf(project, channel),
    send: (channel, message) => sender.send(project, channel, { ...message, id }, signal),
  };
}

function writeLines(io: RunnerIO, stream: "stdout" | "stderr", text: string): void {
  for (const line of text.replace(/\n$/, "").split("\n")) io.log({ stream, text: line });
}

/** A folder under `root` that outlives promotions; made when it is missing. */
export async function makeCacheFolder(root: string, name: string): Promise<string> {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) {
    throw new Error(
      `Cannot make cache folder "${name}": its name may have letters, digits, "-", "_" and "." only`,
    );
  }
  const folder = join(root, name);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return folder;
}

function gateUrl({ uiBaseUrl, project, promotion, alias }: Invocation): string | undefined {
  if (uiBaseUrl === "") return undefined;
  return [uiBaseUrl.replace(/\/$/, ""), "gates", ...[project, promotion, alias].map(encodeURIComponent)].join(
    "/",
  );
}
