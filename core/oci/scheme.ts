import { inRange, parseAddress, parseRange } from "#core/egress/address.ts";

const privateRanges = ["127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128"];

/**
 * Whether a registry may be spoken to in plain HTTP when it knows no TLS, as Docker's and Go's clients
 * have it: on this machine, in a private network, and under `.local` and `.localhost`.
 */
export function mayUsePlainHttp(registry: string): boolean {
  const host = hostOf(registry);
  if (host === "localhost" || /\.local(?:host)?$/.test(host)) return true;
  const address = parseAddress(host);
  if (address === undefined) return false;
  return privateRanges.some((text) => {
    const range = parseRange(text);
    return range !== undefined && inRange(address, range);
  });
}

/** Whether what is sent to a registry never leaves this machine. */
export function isThisMachine(registry: string): boolean {
  const host = hostOf(registry);
  const address = parseAddress(host);
  if (address === undefined) return host === "localhost" || host.endsWith(".localhost");
  return ["127.0.0.0/8", "::1/128"].some((text) => {
    const range = parseRange(text);
    return range !== undefined && inRange(address, range);
  });
}

function hostOf(registry: string): string {
  return registry.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
}

/** True when the other side answered a TLS greeting with something that is not TLS. */
export function isNotTls(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { code } = cause as { code?: unknown };
    if (code === "EPROTO" || code === "ERR_SSL_WRONG_VERSION_NUMBER") return true;
    if (typeof code === "string" && /^ERR_SSL_(?:PACKET_LENGTH_TOO_LONG|HTTP_REQUEST)$/.test(code))
      return true;
  }
  return false;
}
