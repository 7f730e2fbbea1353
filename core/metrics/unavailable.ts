import { z } from "zod";
import { defineProvider } from "#core/metrics/provider.ts";

/** A provider that templates may name and that this daemon does not have: it says why, and what would help. */
function unavailable(summary: string, config: z.ZodType, problem: string) {
  return defineProvider({
    summary,
    config,
    problem: () => problem,
    measure: async () => {
      throw new Error(problem);
    },
  });
}

const AnyConfig = z.record(z.string(), z.unknown());

export const kayenta = unavailable(
  "Kayenta; not available here.",
  AnyConfig,
  "the provider `kayenta` is not available: it compares two versions that run side by side, which a stage does not have; ask its API by the provider `web`",
);

export const wavefront = unavailable(
  "Wavefront; not available here.",
  AnyConfig,
  "the provider `wavefront` is not available: ask its API (`/api/v2/chart/api`) by the provider `web`",
);

export const plugin = unavailable(
  "A provider that is a plugin of Argo Rollouts; not available here.",
  AnyConfig,
  "plugins of Argo Rollouts are not available: run the check as a container by the provider `job`",
);
