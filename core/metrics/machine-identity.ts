import type { MetricContext } from "#core/metrics/provider.ts";

/**
 * Throws unless the operator lets every project use the identity that the daemon's machine has at Amazon:
 * TOWPATH_HOST_CREDENTIALS names it, as for registries.
 */
export function requireMachineIdentity({ env }: Pick<MetricContext, "env">, instead: string): void {
  const allowed = (env.TOWPATH_HOST_CREDENTIALS ?? "").split(",").map((name) => name.trim());
  if (allowed.includes("aws")) return;
  throw new Error(
    `Cannot use the AWS identity of the daemon's machine: the operator allows it with TOWPATH_HOST_CREDENTIALS=aws${instead}`,
  );
}
