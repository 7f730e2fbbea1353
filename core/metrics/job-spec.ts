import { z } from "zod";

/** Fields that say where or how Kubernetes runs a pod, and change nothing of what runs: they may stand there. */
const ofTheCluster = z.unknown().optional();

const KeyRef = z.object({ name: z.string(), key: z.string(), optional: z.boolean().optional() });

const EnvVar = z.strictObject({
  name: z.string(),
  value: z.string().optional(),
  valueFrom: z
    .strictObject({
      secretKeyRef: KeyRef.optional(),
      configMapKeyRef: KeyRef.optional(),
      fieldRef: z.object({ fieldPath: z.string() }).optional(),
    })
    .optional(),
});
export type EnvVar = z.infer<typeof EnvVar>;

const EnvSource = z.object({ name: z.string(), optional: z.boolean().optional() });

const Container = z.strictObject({
  name: z.string(),
  image: z.string(),
  command: z.array(z.string()).optional(),
  args: z.array(z.string()).optional(),
  workingDir: z.string().optional(),
  env: z.array(EnvVar).optional(),
  envFrom: z
    .array(
      z.strictObject({
        prefix: z.string().optional(),
        secretRef: EnvSource.optional(),
        configMapRef: EnvSource.optional(),
      }),
    )
    .optional(),
  resources: z
    .object({ limits: z.record(z.string(), z.union([z.string(), z.number()])).optional() })
    .optional(),
  securityContext: z.object({ runAsUser: z.int().optional(), runAsGroup: z.int().optional() }).optional(),
  imagePullPolicy: ofTheCluster,
  terminationMessagePath: ofTheCluster,
  terminationMessagePolicy: ofTheCluster,
});
export type JobContainer = z.infer<typeof Container>;

const PodSpec = z.strictObject({
  containers: z.array(Container).min(1),
  initContainers: z.array(Container).optional(),
  restartPolicy: z.enum(["Never", "OnFailure"]).optional(),
  imagePullSecrets: z.array(z.object({ name: z.string() })).optional(),
  securityContext: z.object({ runAsUser: z.int().optional(), runAsGroup: z.int().optional() }).optional(),
  activeDeadlineSeconds: z.int().optional(),
  serviceAccountName: ofTheCluster,
  serviceAccount: ofTheCluster,
  automountServiceAccountToken: ofTheCluster,
  nodeSelector: ofTheCluster,
  tolerations: ofTheCluster,
  affinity: ofTheCluster,
  priorityClassName: ofTheCluster,
  terminationGracePeriodSeconds: ofTheCluster,
  dnsPolicy: ofTheCluster,
  enableServiceLinks: ofTheCluster,
  schedulerName: ofTheCluster,
});

/** As much of a Kubernetes Job's spec as an engine without Kubernetes can honour; the rest is refused. */
export const JobSpec = z.strictObject({
  template: z.strictObject({ metadata: ofTheCluster, spec: PodSpec }),
  /** As Kubernetes has it. */
  backoffLimit: z.int().min(0).default(6),
  activeDeadlineSeconds: z.int().min(1).optional(),
  parallelism: z.literal(1).optional(),
  completions: z.literal(1).optional(),
  completionMode: ofTheCluster,
  ttlSecondsAfterFinished: ofTheCluster,
  manualSelector: ofTheCluster,
  selector: ofTheCluster,
  suspend: z.literal(false).optional(),
});
export type JobSpec = z.infer<typeof JobSpec>;

/** Names every field of a spec that cannot be honoured; undefined when all can. */
export function jobSpecProblem(spec: unknown): string | undefined {
  const parsed = JobSpec.safeParse(spec);
  if (parsed.success) return undefined;
  const problems = parsed.error.issues.map(
    ({ path, message }) => `${["spec", ...path].join(".")}: ${message}`,
  );
  return `Cannot run the job: ${problems.join("; ")}`;
}

/** Reads a spec. Throws an error that names every field that cannot be honoured. */
export function parseJobSpec(spec: unknown): JobSpec {
  const problem = jobSpecProblem(spec);
  if (problem !== undefined) throw new Error(problem);
  return JobSpec.parse(spec);
}
