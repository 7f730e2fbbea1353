import { type AddressRange, inRange, parseAddress, parseRange } from "#core/egress/address.ts";
import { portOf } from "#core/egress/policy.ts";
import { UserError } from "#core/failure.ts";

/** Which proxy the operator has set for an address, by HTTP_PROXY, HTTPS_PROXY and NO_PROXY. */
export interface Proxies {
  /** Undefined where the address is asked itself. */
  proxyFor(target: URL): URL | undefined;
}

interface Exception {
  port: string;
  matches(host: string): boolean;
}

const loopback = ["127.0.0.0/8", "::1", "::ffff:127.0.0.0/104"].flatMap((text) => parseRange(text) ?? []);

/**
 * Reads the variables as Go's programs do, Kargo among them: each by its upper-case name and else by its lower-case
 * one, an address without a scheme as `http://`, and nothing on this machine itself through a proxy. Throws a
 * UserError for a proxy that cannot be used.
 */
export function proxiesFrom(env: Readonly<Record<string, string | undefined>>): Proxies {
  const read = (name: string) => env[name] || env[name.toLowerCase()] || "";
  const proxies = { "http:": parseProxy("HTTP_PROXY", read), "https:": parseProxy("HTTPS_PROXY", read) };
  const exceptions = read("NO_PROXY").split(",").flatMap(parseException);

  return {
    proxyFor(target) {
      const proxy = proxies[target.protocol as keyof typeof proxies];
      const host = target.hostname.toLowerCase().replace(/^\[(.*)\]$/, "$1");
      if (proxy === undefined || isLocal(host)) return undefined;
      const port = String(portOf(target));
      const isException = exceptions.some(
        (one) => (one.port === "" || one.port === port) && one.matches(host),
      );
      return isException ? undefined : proxy;
    },
  };
}

function parseProxy(variable: string, read: (name: string) => string): URL | undefined {
  const value = read(variable).trim();
  if (value === "") return undefined;
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`);
  if (url !== null && ["http:", "https:"].includes(url.protocol) && url.hostname !== "") return url;
  // Without the value, which may hold a password.
  throw new UserError(`Cannot use ${variable}: it must be the address of an HTTP proxy`, {
    hint: "write it as http://proxy.example.com:3128",
  });
}

function isLocal(host: string): boolean {
  const address = parseAddress(host);
  return host === "localhost" || (address !== undefined && loopback.some((range) => inRange(address, range)));
}

/** `*`, an address, a range, `example.com` (and all below it), or `.example.com` (what is below it); with or without a port. */
function parseException(text: string): Exception[] {
  const entry = text.trim().toLowerCase();
  if (entry === "") return [];
  if (entry === "*") return [{ port: "", matches: () => true }];
  const range = parseRange(entry.replace(/^\[(.*)\]$/, "$1"));
  if (range !== undefined) return [{ port: "", matches: isIn(range) }];
  const [, name = entry, port = ""] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
  const address = parseRange(name.replace(/^\[(.*)\]$/, "$1"));
  if (address !== undefined) return [{ port, matches: isIn(address) }];
  const domain = name.replace(/^\*\./, ".");
  const isOnlyBelow = domain.startsWith(".");
  const suffix = isOnlyBelow ? domain : `.${domain}`;
  return [{ port, matches: (host) => host.endsWith(suffix) || (!isOnlyBelow && host === domain) }];
}

function isIn(range: AddressRange): (host: string) => boolean {
  return (host) => {
    const address = parseAddress(host);
    return address !== undefined && inRange(address, range);
  };
}
