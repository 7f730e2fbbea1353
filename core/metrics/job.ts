import { z } from "zod";
import { jobSpecProblem } from "#core/metrics/job-spec.ts";
import {
  type BegunMeasurement,
  defineProvider,
  type Measured,
  type MetricContext,
} from "#core/metrics/provider.ts";

const JobMetric = z.strictObject({
  metadata: z.record(z.string(), z.unknown()).optional().describe("Labels and annotations; kept, not used."),
  spec: z
    .record(z.string(), z.unknown())
    .describe("As a Kubernetes Job's: `template.spec.containers`, `backoffLimit` and the like."),
});

/** Runs containers to their end: Successful when they succeed, Failed when they do not. */
export const job = defineProvider({
  summary: "Runs containers, as a Kubernetes Job would.",
  config: JobMetric,

  problem: ({ spec }) => jobSpecProblem(spec),

  measure(config, context) {
    const metadata = {
      "job-name": `${context.run.uid}.${context.metric}.${context.number}`,
      "job-namespace": context.run.project ?? "",
    };
    return ask(config, context, { metadata, startedAt: context.now().toISOString() });
  },
  resume: ask,
  async terminate(_, { jobs }, { metadata }) {
    await jobs?.end(metadata["job-name"] ?? "");
  },
});

async function ask(
  { spec }: z.output<typeof JobMetric>,
  { jobs, run, metric, now }: MetricContext,
  { metadata, startedAt }: BegunMeasurement,
): Promise<Measured> {
  if (jobs === undefined) throw new Error("Cannot run a job: there is no container engine here");
  const state = await jobs.follow({ id: metadata["job-name"] ?? "", run, metric, spec });
  switch (state.phase) {
    case "running": {
      const seconds = Math.max(0, now().getTime() - Date.parse(startedAt)) / 1000;
      // The longer it has run, the longer it may take to see that it ended.
      return { phase: "Running", resumeInSeconds: Math.max(1, Math.sqrt(2 * seconds)), metadata };
    }
    case "succeeded":
      return { phase: "Successful", metadata };
    case "failed":
      return { phase: "Failed", message: state.message, metadata };
    case "stuck":
      return { phase: "Inconclusive", message: state.message, metadata };
    default:
      return state satisfies never;
  }
}
