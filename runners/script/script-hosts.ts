import { createEgressPolicy, type EgressPolicy } from "#core/egress/policy.ts";

/**
 * Hosts of Deno's permissions in the words of a host list, which must let through the same: to Deno a host without
 * a port is all of its ports, `*.example.com` is example.com as well, and an address is one however it is written.
 */
export function toHostList(net: readonly string[]): string[] {
  return net.flatMap((entry) => {
    const [, name = "", port = "*"] = /^(\[.*\]|[^:]+)(?::(\d+))?$/.exec(entry) ?? [];
    const host = name.startsWith("[") ? new URL(`tcp://${name}`).hostname : name;
    const all = host.startsWith("*.") ? [host, host.slice(2)] : [host];
    return all.map((each) => `${each}:${port}`);
  });
}

/** `host:port` of where modules of jsr and https come from; npm's come from its registry. */
export function hostsOfImports(imports: readonly string[]): string[] {
  const hosts = imports.flatMap((specifier) => {
    if (specifier.startsWith("jsr:")) return ["jsr.io:443"];
    return specifier.startsWith("https:") ? [withPort(new URL(specifier))] : [];
  });
  return [...new Set(hosts)];
}

const defaultRegistry = "https://registry.npmjs.org/";

/** `host:port` of the registry of npm; undefined for an address that is none. */
export function registryHost(registry: string = defaultRegistry): string | undefined {
  const url = URL.parse(registry);
  return url === null || url.hostname === "" ? undefined : withPort(url);
}

function withPort({ hostname, port, protocol }: URL): string {
  return `${hostname}:${port || (protocol === "http:" ? 80 : 443)}`;
}

/** The same rules, but for one host, which the operator has named and which may be at any address. */
export function openedFor(
  opened: string,
  egress: Pick<EgressPolicy, "addresses">,
): Pick<EgressPolicy, "addresses"> {
  const opening = createEgressPolicy({ allow: [opened] });
  return {
    addresses: (host, port) => (`${host}:${port}` === opened ? opening : egress).addresses(host, port),
  };
}
