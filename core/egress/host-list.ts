import { UserError } from "#core/failure.ts";

/** Tells whether a host may be reached at a port. */
export type HostList = (host: string, port: number) => boolean;

const usualPorts = [80, 443];

/**
 * Reads hosts that a step may reach: `example.com`, `*.example.com` for all below it, an address; each with a port,
 * with `:*` for every port, or at 80 and 443. Throws a UserError for what is none of these.
 */
export function parseHostList(entries: readonly string[]): HostList {
  const rules = entries.map(parseEntry);
  return (host, port) => {
    const name = plainName(host);
    return rules.some(
      ({ matches, ports }) =>
        (ports === "every" || ports.includes(port)) &&
        (matches.startsWith("*.") ? name.endsWith(matches.slice(1)) : name === matches),
    );
  };
}

function parseEntry(entry: string): { matches: string; ports: readonly number[] | "every" } {
  const [, host = "", port] = /^(\[[0-9a-f:.]+\]|[^:/\s]+)(?::(\d{1,5}|\*))?$/i.exec(entry.trim()) ?? [];
  const matches = plainName(host);
  const isName = /^(\*\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/.test(matches) || matches.includes(":");
  const number = port === undefined || port === "*" ? 1 : Number(port);
  if (!isName || number < 1 || number > 65535) {
    throw new UserError(
      `Cannot read "${entry}" as a host: expected example.com, *.example.com or example.com:8443`,
    );
  }
  if (port === "*") return { matches, ports: "every" };
  return { matches, ports: port === undefined ? usualPorts : [number] };
}

/** Without the brackets of an IPv6 address and the dot that ends a full name. */
export function plainName(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, "$1")
    .replace(/\.$/, "");
}
