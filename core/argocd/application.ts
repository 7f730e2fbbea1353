import { z } from "zod";

/** One source of an Application. What is not named here is kept as it came. */
export const ApplicationSource = z.looseObject({
  repoURL: z.string().default(""),
  chart: z.string().nullish(),
  targetRevision: z.string().nullish(),
});
export type ApplicationSource = z.infer<typeof ApplicationSource>;

const Info = z.object({ name: z.string().default(""), value: z.string().default("") });

const Operation = z.object({
  initiatedBy: z.object({ username: z.string().nullish(), automated: z.boolean().nullish() }).nullish(),
  info: z.array(Info).nullish(),
  /** Of this, stages' statuses are to hold no manifests. */
  sync: z
    .object({ revisions: z.array(z.string()).nullish(), syncOptions: z.array(z.string()).nullish() })
    .nullish(),
});
export type Operation = z.infer<typeof Operation>;

const OperationState = z.object({
  operation: Operation.nullish(),
  phase: z.string().default(""),
  message: z.string().nullish(),
  /** RFC 3339, whole seconds, as all times here. */
  finishedAt: z.string().nullish(),
  syncResult: z
    .object({ revision: z.string().nullish(), revisions: z.array(z.string()).nullish() })
    .nullish(),
});
export type OperationState = z.infer<typeof OperationState>;

const ApplicationStatus = z.object({
  health: z.object({ status: z.string().nullish(), message: z.string().nullish() }).nullish(),
  sync: z
    .object({
      status: z.string().nullish(),
      revision: z.string().nullish(),
      revisions: z.array(z.string()).nullish(),
    })
    .nullish(),
  conditions: z.array(z.object({ type: z.string(), message: z.string().default("") })).nullish(),
  operationState: OperationState.nullish(),
  reconciledAt: z.string().nullish(),
});
export type ApplicationStatus = z.infer<typeof ApplicationStatus>;

/** Argo CD's Application, as far as anything here looks at it; only sources are kept whole. */
export const Application = z.object({
  metadata: z.object({
    name: z.string(),
    namespace: z.string().default(""),
    annotations: z.record(z.string(), z.string()).nullish(),
  }),
  spec: z.object({
    source: ApplicationSource.nullish(),
    sources: z.array(ApplicationSource).nullish(),
  }),
  status: ApplicationStatus.nullish().transform((status) => status ?? {}),
  /** What it was asked to do and has not taken up, or not finished. */
  operation: Operation.nullish(),
});
export type Application = z.infer<typeof Application>;

/** Several sources win over the single one, as in Argo CD. */
export function sourcesOf({ spec }: Application): ApplicationSource[] {
  if (spec.sources?.length) return spec.sources;
  return spec.source ? [spec.source] : [];
}

/** `Argo CD Application "web" in namespace "argocd"`, for messages. */
export function titleOf({ metadata }: Pick<Application, "metadata">): string {
  return titleFor(metadata.name, metadata.namespace);
}

export function titleFor(name: string, namespace: string): string {
  return `Argo CD Application "${name}" in namespace "${namespace}"`;
}

/** What keeps an Application from being judged: its specification, or the comparison with the cluster. */
export function errorConditions({ status }: Application): { type: string; message: string }[] {
  return (status.conditions ?? []).filter(({ type }) =>
    ["ComparisonError", "InvalidSpecError"].includes(type),
  );
}

/**
 * Whether Argo CD has yet to look at an Application again since its last operation ended. Until then its health
 * may be that from before, since operations and health are looked after by different loops.
 */
export function isStale({ status }: Application): boolean {
  const finishedAt = status.operationState?.finishedAt;
  if (!finishedAt) return false;
  return !status.reconciledAt || Date.parse(status.reconciledAt) < Date.parse(finishedAt);
}
