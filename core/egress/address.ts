import { isIPv4, isIPv6 } from "node:net";

/** An IP address as bytes: four of them, or sixteen. */
export type AddressBytes = readonly number[];

/** A range of addresses: those whose first `prefix` bits are those of `bytes`. */
export interface AddressRange {
  bytes: AddressBytes;
  prefix: number;
}

/** The bytes of an address; undefined when the text is not one. A zone (`fe80::1%eth0`) is left out. */
export function parseAddress(text: string): AddressBytes | undefined {
  if (isIPv4(text)) return text.split(".").map(Number);
  if (!isIPv6(text)) return undefined;
  const [address = ""] = text.split("%");
  const [head = "", tail] = withHexTail(address).split("::");
  const front = groupsOf(head);
  const back = tail === undefined ? [] : groupsOf(tail);
  const zeros = new Array<number>(8 - front.length - back.length).fill(0);
  return [...front, ...zeros, ...back].flatMap((group) => [group >> 8, group & 0xff]);
}

/** `::ffff:1.2.3.4` with its end in hexadecimal, as the other groups are. */
function withHexTail(address: string): string {
  const [dotted] = /\d+\.\d+\.\d+\.\d+$/.exec(address) ?? [];
  if (dotted === undefined) return address;
  const [a = 0, b = 0, c = 0, d = 0] = dotted.split(".").map(Number);
  const hex = `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  return address.slice(0, -dotted.length) + hex;
}

function groupsOf(text: string): number[] {
  return text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
}

/** A range written as `10.0.0.0/8` or as a single address; undefined when the text is neither. */
export function parseRange(text: string): AddressRange | undefined {
  const [address = "", prefixText, ...rest] = text.split("/");
  const bytes = parseAddress(address);
  if (bytes === undefined || rest.length > 0) return undefined;
  const bits = bytes.length * 8;
  if (prefixText === undefined) return { bytes, prefix: bits };
  const prefix = /^\d{1,3}$/.test(prefixText) ? Number(prefixText) : Number.NaN;
  return prefix <= bits ? { bytes, prefix } : undefined;
}

export function inRange(address: AddressBytes, range: AddressRange): boolean {
  if (address.length !== range.bytes.length) return false;
  return address.every((byte, index) => {
    const bits = Math.min(8, Math.max(0, range.prefix - index * 8));
    const mask = 0xff & (0xff << (8 - bits));
    return ((byte ^ (range.bytes[index] ?? 0)) & mask) === 0;
  });
}

/** Addresses that are not the public Internet's, with the words for them; the first that fits counts. */
const specialRanges: readonly (readonly [string, string])[] = [
  ["127.0.0.0/8", "a loopback address"],
  ["10.0.0.0/8", "a private address"],
  ["172.16.0.0/12", "a private address"],
  ["192.168.0.0/16", "a private address"],
  ["169.254.169.254/32", "the address of the cloud's metadata service"],
  ["168.63.129.16/32", "the address of the cloud's metadata service"],
  ["100.100.100.200/32", "the address of the cloud's metadata service"],
  ["169.254.0.0/16", "a link-local address"],
  ["100.64.0.0/10", "a carrier's shared address"],
  ["0.0.0.0/8", "an unspecified address"],
  ["192.0.0.0/24", "a reserved address"],
  ["192.0.2.0/24", "an address for documentation"],
  ["192.88.99.0/24", "a reserved address"],
  ["198.18.0.0/15", "an address for benchmarks"],
  ["198.51.100.0/24", "an address for documentation"],
  ["203.0.113.0/24", "an address for documentation"],
  ["224.0.0.0/4", "a multicast address"],
  ["240.0.0.0/4", "a reserved address"],
  ["::/128", "an unspecified address"],
  ["::1/128", "a loopback address"],
  ["fd00:ec2::254/128", "the address of the cloud's metadata service"],
  ["fc00::/7", "a private address"],
  ["fe80::/10", "a link-local address"],
  ["fec0::/10", "a private address"],
  ["ff00::/8", "a multicast address"],
  ["64:ff9b:1::/48", "a translated address of the local network"],
  ["2001::/23", "a reserved address"],
  ["2001:db8::/32", "an address for documentation"],
  ["3fff::/20", "an address for documentation"],
];

/** IPv6 ranges that carry an IPv4 address, and at which byte: mapped, translated, compatible, NAT64, 6to4. */
const carriers: readonly (readonly [string, number])[] = [
  ["::ffff:0:0/96", 12],
  ["::ffff:0:0:0/96", 12],
  ["::/96", 12],
  ["64:ff9b::/96", 12],
  ["2002::/16", 2],
];

/** What is special among the addresses of IPv4, and the addresses of IPv6 that are so one by one; as text. */
export const closedRanges: readonly string[] = specialRanges.flatMap(([text]) =>
  text.includes(":") && !text.endsWith("/128") ? [] : text,
);

const globalUnicast = range("2000::/3");
const special = specialRanges.map(([text, words]) => ({ range: range(text), words }));
const carrying = carriers.map(([text, at]) => ({ range: range(text), at }));

function range(text: string): AddressRange {
  const parsed = parseRange(text);
  if (parsed === undefined) throw new TypeError(`Not a range: ${text}`);
  return parsed;
}

/** Whether two ranges have an address in common. */
export function overlap(a: AddressRange, b: AddressRange): boolean {
  return a.prefix < b.prefix ? inRange(b.bytes, a) : inRange(a.bytes, b);
}

/** The IPv4 address that an IPv6 address stands for; undefined when it stands for itself. */
export function carriedAddress(address: AddressBytes): AddressBytes | undefined {
  const carrier = carrying.find((candidate) => inRange(address, candidate.range));
  return carrier && address.slice(carrier.at, carrier.at + 4);
}

/** What is special about an address ("a loopback address"); undefined for one of the public Internet. */
export function specialAddress(address: AddressBytes): string | undefined {
  const found = special.find((candidate) => inRange(address, candidate.range));
  if (found) return found.words;
  if (address.length === 4) return undefined;
  const carried = carriedAddress(address);
  if (carried) return specialAddress(carried);
  return inRange(address, globalUnicast) ? undefined : "a reserved address";
}
