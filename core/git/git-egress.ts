import { lookup } from "node:dns/promises";
import { carriedAddress, inRange, parseAddress, parseRange } from "#core/egress/address.ts";
import type { Proxies } from "#core/egress/proxies.ts";
import { StepFailure } from "#core/failure.ts";
import type { GitRemote } from "#core/git/git-url.ts";

/**
 * Where no repository is, but what tells secrets to whoever asks from this machine. Private networks stay
 * open, unlike for other steps: a team's own Git server is more often there than not.
 */
const closedRanges = [
  "169.254.0.0/16",
  "168.63.129.16/32",
  "100.100.100.200/32",
  "fe80::/10",
  "fd00:ec2::254/128",
].flatMap((text) => parseRange(text) ?? []);

/** What git is told of the way to a repository. */
export interface GitWay {
  config: Record<string, string>;
  env: Record<string, string>;
}

/**
 * Refuses a repository whose host has an address that is closed to git. Returns what holds git to the addresses
 * that were looked at, since the name service may answer otherwise the next time, and the operator's proxy.
 */
export async function wayTo(remote: GitRemote, proxies: Proxies): Promise<GitWay> {
  if (remote.origin === "") return { config: {}, env: {} };
  const origin = new URL(remote.origin);
  const name = origin.hostname.replace(/^\[(.*)\]$/, "$1");
  const addresses = await addressesOf(name);
  for (const address of addresses) {
    const bytes = parseAddress(address) ?? [];
    const actual = carriedAddress(bytes) ?? bytes;
    if (!closedRanges.some((range) => inRange(actual, range))) continue;
    throw new StepFailure(
      "refused",
      `Cannot use Git repository "${remote.url}": address ${address} is link-local or a metadata service's, which git may not reach`,
    );
  }
  const isHttp = remote.protocol === "https" || remote.protocol === "http";
  if (!isHttp) return { config: {}, env: {} };
  const proxy = proxies.proxyFor(origin);
  // In the environment, since it may hold a password.
  if (proxy !== undefined) return { config: {}, env: { http_proxy: proxy.href, https_proxy: proxy.href } };
  if (addresses.length === 0 || parseAddress(name) !== undefined) return { config: {}, env: {} };
  const port = origin.port || (remote.protocol === "https" ? "443" : "80");
  const list = addresses.map((address) => (address.includes(":") ? `[${address}]` : address));
  return { config: { "http.curloptResolve": `${name}:${port}:${list.join(",")}` }, env: {} };
}

/** None when the name is not known: git will say so in its own words. */
async function addressesOf(name: string): Promise<string[]> {
  try {
    return (await lookup(name, { all: true })).map(({ address }) => address);
  } catch {
    return [];
  }
}
