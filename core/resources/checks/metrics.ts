import { metricProviders } from "#core/metrics/index.ts";
import type { MetricProvider } from "#core/metrics/provider.ts";
import type { Finding } from "#core/resources/checks/finding.ts";
import type { LoadedResource } from "#core/resources/load.ts";

const kinds = ["AnalysisTemplate", "ClusterAnalysisTemplate"];

/**
 * Metrics that could never be measured here. Kargo takes them all the same, so that these are warnings. What
 * arguments are to fill in is left to the run, which knows them.
 */
export function checkMetricProviders(resource: LoadedResource): Finding[] {
  if (!kinds.includes(resource.resource.kind)) return [];
  const { metrics = [] } = resource.resource.spec as { metrics?: { provider?: Record<string, unknown> }[] };
  return metrics.flatMap(({ provider = {} }, index) =>
    Object.entries(provider).flatMap(([name, config]): Finding[] => {
      const known = (metricProviders as Record<string, MetricProvider>)[name];
      if (known === undefined || JSON.stringify(config).includes("{{")) return [];
      const parsed = known.config.safeParse(config);
      const message = parsed.success ? known.problem?.(parsed.data) : undefined;
      if (message === undefined) return [];
      return [{ resource, severity: "warning", path: ["spec", "metrics", index, "provider", name], message }];
    }),
  );
}
