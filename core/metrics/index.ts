import { cloudWatch } from "#core/metrics/cloud-watch.ts";
import { datadog } from "#core/metrics/datadog.ts";
import { graphite } from "#core/metrics/graphite.ts";
import { influxdb } from "#core/metrics/influxdb.ts";
import { job } from "#core/metrics/job.ts";
import { newRelic } from "#core/metrics/new-relic.ts";
import { prometheus } from "#core/metrics/prometheus.ts";
import { skyWalking } from "#core/metrics/sky-walking.ts";
import { kayenta, plugin, wavefront } from "#core/metrics/unavailable.ts";
import { web } from "#core/metrics/web.ts";

/** Every provider, by what a metric calls it. */
export const metricProviders = {
  web,
  prometheus,
  job,
  datadog,
  newRelic,
  cloudWatch,
  influxdb,
  graphite,
  skywalking: skyWalking,
  kayenta,
  wavefront,
  plugin,
} as const;
