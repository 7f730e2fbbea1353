import { inRange, parseAddress, parseRange } from "#core/egress/address.ts";
import type { EgressPolicy } from "#core/egress/policy.ts";
import { StepFailure } from "#core/failure.ts";

/**
 * The ranges that a script is to be kept from, whatever the names in its permissions lead to: all that is not the
 * public Internet's, but for what the operator opened. Deno holds them against the address that it connects to.
 * Throws a StepFailure for a host that may not be reached at all.
 */
export async function closedTo(hosts: readonly string[], egress: EgressPolicy): Promise<string[]> {
  const opened = (await Promise.all(hosts.map((host) => addressesOf(host, egress)))).flat();
  return egress.closedRanges().filter((text) => {
    const closed = parseRange(text);
    return closed && !opened.some((address) => inRange(parseAddress(address) ?? [], closed));
  });
}

/** None for a name that is not known here: a container may know it. */
async function addressesOf(host: string, egress: EgressPolicy): Promise<string[]> {
  if (host.startsWith("*.")) return [];
  const { hostname, port } = new URL(`tcp://${host}`);
  try {
    return (await egress.addresses(hostname, Number(port) || 443)).map(({ address }) => address);
  } catch (error) {
    if (error instanceof StepFailure && error.kind === "refused") throw error;
    return [];
  }
}
