import { lookup } from "node:dns/promises";
import {
  type AddressBytes,
  type AddressRange,
  carriedAddress,
  closedRanges,
  inRange,
  overlap,
  parseAddress,
  parseRange,
  specialAddress,
} from "#core/egress/address.ts";
import { StepFailure, UserError } from "#core/failure.ts";
import { codeOf } from "#core/file-failure.ts";

/** An address that the rules allow, ready to connect to. */
export interface CheckedAddress {
  address: string;
  family: 4 | 6;
}

/** Decides which addresses may be reached. Public ones may; others only where the operator opened them. */
export interface EgressPolicy {
  /**
   * The addresses of a host that may be reached at a port. Connect to these and to no others: asking the
   * name service again may give another answer. Throws a StepFailure when there are none.
   */
  addresses(host: string, port: number): Promise<CheckedAddress[]>;
  /**
   * Throws a StepFailure unless a proxy may be asked for a host at a port. It looks the name up for itself, so
   * every address of it that is known here must be allowed. A name that is not known here is left to a proxy of
   * the operator's, where it is one of the public Internet's.
   */
  checkBehindProxy(host: string, port: number, isOperators: boolean): Promise<void>;
  /**
   * What a program has to be kept from that connects by itself: ranges that nothing was opened of, as text.
   * Ranges of IPv6 are not among them, only single addresses.
   */
  closedRanges(): string[];
}

/** Finds the addresses of a name. */
export type Lookup = (name: string) => Promise<readonly CheckedAddress[]>;

export interface EgressSettings {
  /** What the operator opened: `HOST`, `*.DOMAIN`, an address or a range such as `10.0.0.0/8`, with or without `:PORT`. */
  allow?: readonly string[];
  /** The system's by default. */
  lookup?: Lookup;
}

interface Opening {
  port: number | undefined;
  range: AddressRange | undefined;
  /** Lower case; begins with `*.` for a domain and all below it. */
  name: string;
}

/** Throws a UserError when an entry of `allow` cannot be read. */
export function createEgressPolicy({ allow = [], lookup = systemLookup }: EgressSettings = {}): EgressPolicy {
  const openings = allow.flatMap(parseOpening);

  const isAllowed = (name: string, port: number, { address }: CheckedAddress) =>
    specialAddress(bytesOf(address)) === undefined ||
    openings.some((opening) => isOpened(opening, name, port, bytesOf(address)));

  return {
    async addresses(host, port) {
      const name = plainHost(host);
      const found = await addressesOf(name, lookup);
      const allowed = found.filter((one) => isAllowed(name, port, one));
      if (allowed.length > 0) return allowed;
      throw refusal(name, port, found[0]);
    },
    async checkBehindProxy(host, port, isOperators) {
      const name = plainHost(host);
      let found: readonly CheckedAddress[];
      try {
        found = await addressesOf(name, lookup);
      } catch (error) {
        if (isOperators && isPublicName(name)) return;
        throw error;
      }
      const closed = found.find((one) => !isAllowed(name, port, one));
      if (closed !== undefined || found.length === 0) throw refusal(name, port, closed);
    },
    closedRanges: () =>
      closedRanges.filter((text) => {
        const closed = parseRange(text);
        return closed && !openings.some(({ range }) => range !== undefined && overlap(range, closed));
      }),
  };
}

function refusal(name: string, port: number, found: CheckedAddress | undefined): StepFailure {
  if (found === undefined)
    return new StepFailure("errored", `Cannot connect to "${name}": it has no address`);
  const what = specialAddress(bytesOf(found.address));
  const subject = found.address === name ? `it is ${what}` : `its address ${found.address} is ${what}`;
  const entry = name.includes(":") ? `[${name}]:${port}` : `${name}:${port}`;
  return new StepFailure(
    "refused",
    `Cannot connect to "${name}": ${subject}, which steps may not reach. ` +
      `The operator can open it with --allow-net ${entry}`,
  );
}

/** Ends of names that no public name server knows. */
const privateEnds = [
  "local",
  "localhost",
  "localdomain",
  "internal",
  "intranet",
  "lan",
  "home",
  "corp",
  "private",
  "arpa",
];

function isPublicName(name: string): boolean {
  const labels = name.split(".");
  return labels.length > 1 && !privateEnds.includes(labels.at(-1) ?? "");
}

async function addressesOf(name: string, lookup: Lookup): Promise<readonly CheckedAddress[]> {
  const literal = parseAddress(name);
  if (literal) return [{ address: name, family: literal.length === 4 ? 4 : 6 }];
  try {
    return await lookup(name);
  } catch (error) {
    const kind = codeOf(error) === "EAI_AGAIN" ? "transient" : "errored";
    throw new StepFailure(kind, `Cannot connect to "${name}": no address was found for that name`, {
      cause: error,
    });
  }
}

async function systemLookup(name: string): Promise<CheckedAddress[]> {
  const found = await lookup(name, { all: true });
  return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
}

function bytesOf(address: string): AddressBytes {
  return parseAddress(address) ?? [];
}

/** The port that a URL asks for, its scheme's usual one included. */
export function portOf(url: URL): number {
  return Number(url.port) || (url.protocol === "https:" ? 443 : 80);
}

/** A host without the brackets that an IPv6 address wears in a URL, and without the dot that ends a full name. */
function plainHost(host: string): string {
  return host
    .toLowerCase()
    .replace(/^\[(.*)\]$/, "$1")
    .replace(/\.$/, "");
}

const loopbackRanges = ["127.0.0.0/8", "::1"];

function parseOpening(entry: string): Opening[] {
  const { host, port } = splitPort(entry);
  const name = plainHost(host);
  const range = parseRange(name);
  if (range) return [{ port, range, name: "" }];
  if (!/^(\*\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$/.test(name)) {
    throw new UserError(
      `Cannot open ${JSON.stringify(entry)} to steps: it is no host, address or range with an optional port`,
      { hint: "write it as git.example.com, 10.1.2.3:8080 or 10.0.0.0/8" },
    );
  }
  const byName: Opening = { port, range: undefined, name };
  if (name !== "localhost") return [byName];
  return [byName, ...loopbackRanges.map((text) => ({ port, range: parseRange(text), name: "" }))];
}

function splitPort(entry: string): { host: string; port: number | undefined } {
  const whole = entry.trim();
  const match = /^(\[[^\]]*\]|[^:]*):(\d{1,5})$/.exec(whole);
  if (match?.[1] === undefined) return { host: whole, port: undefined };
  return { host: match[1], port: Number(match[2]) };
}

function isOpened(opening: Opening, name: string, port: number, address: AddressBytes): boolean {
  if (opening.port !== undefined && opening.port !== port) return false;
  if (opening.range === undefined) return matchesName(opening.name, name);
  const carried = carriedAddress(address);
  return inRange(address, opening.range) || (carried !== undefined && inRange(carried, opening.range));
}

function matchesName(opened: string, name: string): boolean {
  return opened.startsWith("*.") ? name.endsWith(opened.slice(1)) : name === opened;
}
