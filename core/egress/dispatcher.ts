import { Agent, buildConnector, type Dispatcher, ProxyAgent } from "undici";
import { type CheckedAddress, type EgressPolicy, portOf } from "#core/egress/policy.ts";

export interface DispatcherSettings {
  insecureSkipTLSVerify: boolean;
  /** In PEM; the system's without it. */
  caCertificates?: string | undefined;
  proxy: { url: URL; isOperators: boolean } | undefined;
}

/**
 * A dispatcher for requests to `target` whose connections all go to addresses that the policy has checked.
 * Close it after use.
 */
export async function createDispatcher(
  policy: EgressPolicy,
  target: URL,
  { insecureSkipTLSVerify, caCertificates, proxy }: DispatcherSettings,
): Promise<Dispatcher> {
  const check = { rejectUnauthorized: !insecureSkipTLSVerify };
  const tls = { ...check, ...(caCertificates === undefined ? {} : { ca: caCertificates }) };
  if (proxy === undefined) {
    return new Agent({ connect: connectorTo(await policy.addresses(target.hostname, portOf(target)), tls) });
  }
  // The proxy looks the target's name up for itself; ours was checked all the same, so that a proxy opens
  // nothing that the rules close.
  await policy.checkBehindProxy(target.hostname, portOf(target), proxy.isOperators);
  return new ProxyAgent({
    uri: proxy.url.href,
    // Asked in the usual way: the whole URL for http, a tunnel for https.
    proxyTunnel: false,
    requestTls: tls,
    proxyTls: { ...check, ...(await proxyLookup(policy, proxy)) },
  });
}

/** The operator may have a proxy wherever he likes; one that a step names is held to the rules. */
async function proxyLookup(policy: EgressPolicy, { url, isOperators }: { url: URL; isOperators: boolean }) {
  return isOperators ? {} : { lookup: answering(await policy.addresses(url.hostname, portOf(url))) };
}

/** Connects to the very addresses that were checked, so that no second look-up can give others. */
function connectorTo(
  addresses: readonly CheckedAddress[],
  tls: { rejectUnauthorized: boolean; ca?: string },
) {
  return buildConnector({ ...tls, lookup: answering(addresses) });
}

type LookupCallback = (
  error: NodeJS.ErrnoException | null,
  address: string | { address: string; family: number }[],
  family?: number,
) => void;

/** A look-up that knows one answer. */
function answering(addresses: readonly CheckedAddress[]) {
  return (_name: string, options: { all?: boolean }, callback: LookupCallback) => {
    if (options.all) return callback(null, [...addresses]);
    const [first] = addresses;
    callback(null, first?.address ?? "", first?.family);
  };
}
