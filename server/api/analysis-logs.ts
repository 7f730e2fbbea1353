import { UserError } from "#core/failure.ts";
import type { AnalysisRun } from "#core/resources/analysis-run.ts";
import type { ResourceRef } from "#core/resources/resource.ts";
import { containerLog } from "#core/stages/verification/jobs/pod.ts";
import { isOver } from "#core/stages/verification/phases.ts";
import { type Api, getResource } from "#server/api/api.ts";
import { followLog } from "#server/api/follow-log.ts";
import type { Route } from "#server/route.ts";
import type { SseMessage } from "#server/sse.ts";

/** Readers take events of bounded size only. */
const longestPiece = 64 * 1024;

/** What the containers of a verification say. Only metrics of the provider `job` have any. */
export const analysisLogRoutes = (api: Api): Route[] => [
  {
    method: "GET",
    path: "/v1beta1/projects/:project/analysis-runs/:analysis-run/logs",
    id: "GetAnalysisRunLogs",
    summary: "Follow what a verification's containers say",
    needs: "view",
    query: {
      metricName: "The job metric; needed where there are several.",
      containerName: "Its container; needed where there are several.",
    },
    answers: { 200: "The log's text, as server-sent events, until the verification is over." },
    handle: async (c) => {
      const project = c.req.param("project") as string;
      const name = c.req.param("analysis-run") as string;
      const ref = { kind: "AnalysisRun", project, name };
      const run = (await getResource(api.store, ref)) as AnalysisRun;
      const metric = chooseJobMetric(run, c.req.query("metricName"));
      const container = chooseContainer(run, metric, c.req.query("containerName"));
      return api.streams.stream(c, (signal) => follow(api, ref, { metric, container, signal }));
    },
  },
];

/** Text as it comes: the lines of an event make up one piece of it, as Kargo sends them. */
async function* follow(
  { store }: Api,
  ref: ResourceRef,
  { metric, container, signal }: { metric: string; container: string; signal: AbortSignal },
): AsyncGenerator<SseMessage> {
  const bunches = followLog(store, {
    key: containerLog(ref, metric, container),
    from: 0,
    signal,
    concerns: ({ kind, metadata }) =>
      kind === ref.kind && metadata.namespace === ref.project && metadata.name === ref.name,
    async hasEnded() {
      const run = (await store.get(ref)) as AnalysisRun | undefined;
      const result = run?.status?.metricResults?.find(({ name }) => name === metric);
      return run === undefined || isOver(run.status?.phase) || isOver(result?.phase);
    },
  });
  for await (const { lines } of bunches) {
    let piece = "";
    for (const { text } of lines) {
      piece += `${text}\n`;
      if (piece.length < longestPiece) continue;
      yield { data: piece };
      piece = "";
    }
    if (piece !== "") yield { data: piece };
  }
}

/** The metric that is named, or the only one with a job. */
function chooseJobMetric(run: AnalysisRun, wanted: string | undefined): string {
  const jobs = (run.spec.metrics ?? [])
    .filter(({ provider }) => provider.job !== undefined)
    .map(({ name }) => name);
  if (wanted) {
    if (jobs.includes(wanted)) return wanted;
    throw new UserError(`${called(run)} has no job metric named "${wanted}"`, { status: 404 });
  }
  const [only, ...others] = jobs;
  if (only === undefined) throw new UserError(`${called(run)} has no job metrics`, { status: 404 });
  if (others.length === 0) return only;
  throw new UserError(`${called(run)} has multiple job metrics; please specify a metric name`);
}

/** The container that is named, or the only one of the metric. */
function chooseContainer(run: AnalysisRun, metric: string, wanted: string | undefined): string {
  const { spec } = run.spec.metrics.find(({ name }) => name === metric)?.provider.job ?? {};
  const pod = (spec as JobOutline | undefined)?.template?.spec;
  const names = (pod?.containers ?? []).map(({ name }) => name);
  if (wanted) {
    if (names.includes(wanted) || pod?.initContainers?.some(({ name }) => name === wanted)) return wanted;
    throw new UserError(`${called(run)} has no container named "${wanted}" in Jobs for metric "${metric}"`, {
      status: 404,
    });
  }
  const [only, ...others] = names;
  if (only === undefined) {
    throw new UserError(`${called(run)} has no containers in Jobs for metric "${metric}"`, { status: 404 });
  }
  if (others.length === 0) return only;
  throw new UserError(
    `${called(run)} has multiple containers in Jobs for metric "${metric}"; please specify a container name`,
  );
}

/** As much of a Job's spec as tells its containers' names. */
interface JobOutline {
  template?: { spec?: { containers?: { name: string }[]; initContainers?: { name: string }[] } };
}

function called({ metadata }: AnalysisRun): string {
  return `AnalysisRun "${metadata.name}" in namespace "${metadata.namespace}"`;
}
