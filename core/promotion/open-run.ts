import type { Masker } from "#core/credentials/masker.ts";
import { confidentialValues } from "#core/credentials/secret-values.ts";
import { actorName } from "#core/promotion/actor-name.ts";
import { splitAlias, stepAlias } from "#core/promotion/alias.ts";
import { isRollback } from "#core/promotion/events.ts";
import { referencesOf } from "#core/promotion/freight-collection.ts";
import { keys } from "#core/promotion/keys.ts";
import type { PromotionRun } from "#core/promotion/run.ts";
import type { Freight } from "#core/resources/freight.ts";
import type { Promotion, PromotionStatus } from "#core/resources/promotion.ts";
import { refOf } from "#core/resources/resource.ts";
import type { Secret } from "#core/resources/secret.ts";
import type { FreightRequest } from "#core/resources/stage.ts";
import type { Store, Write } from "#core/store/store.ts";

const sharedProject = "kargo-shared-resources";

export interface RunSources {
  /** As it is stored. Freight and freight collection are taken from its status. */
  promotion: Promotion;
  freight: Freight | undefined;
  freightRequests: readonly FreightRequest[];
  /** Absolute path; exists. */
  workspace: string;
  uiBaseUrl: string;
}

/** A run that can be left and forgotten. */
export interface OpenRun extends PromotionRun {
  /** What a finished promotion has no more use for. */
  readonly cleanUp: readonly Write[];
}

/**
 * Opens a promotion to be run from where its status says it is.
 *
 * Outputs with secrets in them are masked in the status, which everybody may read. So that later steps
 * still get what earlier ones found, the outputs themselves are kept in a Secret of the promotion, which
 * the store seals, until the promotion is finished.
 */
export async function openRun(
  store: Pick<Store, "get" | "list" | "write">,
  masker: Pick<Masker, "add" | "mask" | "maskValue">,
  { promotion, freight, freightRequests, workspace, uiBaseUrl }: RunSources,
): Promise<OpenRun> {
  const ref = refOf(promotion);
  const uid = promotion.metadata.uid ?? "";
  const status: PromotionStatus = structuredClone(promotion.status ?? {});
  const stored = (await store.get({ ...ref, kind: "Secret" })) as Secret | undefined;
  const hidden = readHidden(stored, uid);
  if (Object.keys(hidden).length > 0) await learnSecrets(store, masker, ref.project);
  const outputs: Record<string, unknown> = { ...status.state, ...hidden };
  for (const output of Object.values(outputs)) freeze(output);
  let hiddenIs: "saved" | "changed" = "saved";
  let secretExists = Object.keys(hidden).length > 0;

  function setOutput(key: string, value: unknown): void {
    outputs[key] = value;
    const masked = masker.maskValue(value);
    status.state = { ...status.state, [key]: masked };
    if (JSON.stringify(masked) !== JSON.stringify(value)) {
      hidden[key] = value;
      hiddenIs = "changed";
    } else if (key in hidden) {
      delete hidden[key];
      hiddenIs = "changed";
    }
  }

  function dropOutput(key: string): void {
    delete outputs[key];
    const { [key]: _, ...state } = status.state ?? {};
    status.state = state;
    if (!(key in hidden)) return;
    delete hidden[key];
    hiddenIs = "changed";
  }

  function hiddenWrites(): Write[] {
    if (hiddenIs === "saved") return [];
    const resource = hiddenSecret(promotion, hidden);
    return [{ op: secretExists ? "update" : "create", resource }];
  }

  let saving = Promise.resolve();

  async function saveNow(writes: readonly Write[]): Promise<void> {
    const secrets = hiddenWrites();
    hiddenIs = "saved";
    try {
      await store.write([{ op: "status", ref, status }, ...secrets, ...writes], { readBack: false });
      secretExists ||= secrets.length > 0;
    } catch (error) {
      if (secrets.length > 0) hiddenIs = "changed";
      throw error;
    }
  }

  return {
    project: promotion.metadata.namespace ?? "",
    stage: promotion.spec.stage,
    promotion: promotion.metadata.name,
    uid,
    actor: actorName(promotion.metadata.annotations?.[keys.createActor]),
    rollback: isRollback(promotion),
    uiBaseUrl,
    workspace,
    steps: (promotion.spec.steps ?? []).map((step, index) => ({ ...step, as: stepAlias(step, index) })),
    vars: promotion.spec.vars ?? [],
    freight: referencesOf(status.freightCollection),
    freightRequests,
    targetFreight: status.freight,
    targetFreightAlias: freight?.alias ?? "",
    outputs,
    status,
    mask: (text) => masker.mask(text),
    keepOutput(alias, output, forTask) {
      // A copy of its own: what a step does to its output later changes nothing here.
      const kept = output === undefined ? null : freeze(JSON.parse(JSON.stringify(output)) as object);
      setOutput(alias, kept);
      const { task } = splitAlias(alias);
      if (forTask && task !== undefined) setOutput(task, { ...(outputs[task] as object), ...kept });
    },
    keepList(alias, list, insteadOf = []) {
      setOutput(alias, freeze(JSON.parse(JSON.stringify(list)) as unknown[]));
      for (const key of insteadOf) dropOutput(key);
    },
    save(writes = []) {
      // Items of a list may be under way at once; what one of them hides must be written before the next looks.
      const turn = saving.then(() => saveNow(writes));
      saving = turn.catch(() => undefined);
      return turn;
    },
    get cleanUp() {
      return secretExists ? [{ op: "delete", ref: { ...ref, kind: "Secret" } } as const] : [];
    },
  };
}

function hiddenSecret(promotion: Promotion, hidden: Record<string, unknown>): Secret {
  const { name, namespace, uid } = promotion.metadata;
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace, labels: { [keys.promotionUid]: uid ?? "" } },
    type: "towpath.dev/promotion-outputs",
    data: { outputs: Buffer.from(JSON.stringify(hidden)).toString("base64") },
  };
}

/** A Secret of somebody else's that happens to have the promotion's name is none of ours. */
function readHidden(secret: Secret | undefined, uid: string): Record<string, unknown> {
  const outputs = secret?.data?.outputs;
  if (outputs === undefined || secret?.metadata.labels?.[keys.promotionUid] !== uid) return {};
  return JSON.parse(Buffer.from(outputs, "base64").toString("utf8")) as Record<string, unknown>;
}

/** After a restart the masker has yet to meet the secrets that earlier steps used. */
async function learnSecrets(
  store: Pick<Store, "list">,
  masker: Pick<Masker, "add">,
  project: string | undefined,
): Promise<void> {
  for (const owner of [project, sharedProject]) {
    for (const secret of await store.list({ kind: "Secret", project: owner })) {
      if (secret.metadata.labels?.[keys.promotionUid] !== undefined) continue;
      for (const value of confidentialValues(secret)) masker.add(value);
    }
  }
}

/** Steps share outputs; none may change what another sees. */
function freeze<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  for (const item of Object.values(value)) freeze(item);
  return Object.freeze(value);
}
