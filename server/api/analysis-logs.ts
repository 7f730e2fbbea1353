import { UserError } from "#core/failure.ts";
import type { AnalysisRun } from "#core/resources/analysis-run.ts";
import { type Api, getResource } from "#server/api/api.ts";
import type { Route } from "#server/route.ts";

/** What the containers of a verification say. Only metrics of the provider `job` have any. */
export const analysisLogRoutes = (api: Api): Route[] => [
  {
    method: "GET",
    path: "/v1beta1/projects/:project/analysis-runs/:analysis-run/logs",
    id: "GetAnalysisRunLogs",
    summary: "Read what a verification's containers say",
    needs: "view",
    query: { metricName: "The job metric.", containerName: "Its container." },
    answers: {},
    handle: async (c) => {
      const project = c.req.param("project") as string;
      const name = c.req.param("analysis-run") as string;
      const run = (await getResource(api.store, { kind: "AnalysisRun", project, name })) as AnalysisRun;
      const metric = chooseJobMetric(run, c.req.query("metricName"));
      throw new UserError(
        `Cannot read the log of metric "${metric}": metrics of the provider "job" are not run yet`,
        {
          status: 501,
        },
      );
    },
  },
];

/** The metric that is named, or the only one with a job. */
function chooseJobMetric({ metadata, spec }: AnalysisRun, wanted: string | undefined): string {
  const what = `AnalysisRun "${metadata.name}" in namespace "${metadata.namespace}"`;
  const jobs = (spec.metrics ?? [])
    .filter(({ provider }) => provider.job !== undefined)
    .map(({ name }) => name);
  if (wanted) {
    if (jobs.includes(wanted)) return wanted;
    throw new UserError(`${what} has no job metric named "${wanted}"`, { status: 404 });
  }
  const [only, ...others] = jobs;
  if (only === undefined) throw new UserError(`${what} has no job metrics`, { status: 404 });
  if (others.length === 0) return only;
  throw new UserError(`${what} has multiple job metrics; please specify a metric name`);
}
