/** A semantic version, read as generously as Masterminds' library reads it: `v1`, `1.2` and `01.2.3` count. */
export interface Version {
  major: bigint;
  minor: bigint;
  patch: bigint;
  /** Without its hyphen; "" for a release. */
  prerelease: string;
  /** As it was written. */
  original: string;
}

const loose =
  /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-([\dA-Za-z-]+(?:\.[\dA-Za-z-]+)*))?(?:\+[\dA-Za-z-]+(?:\.[\dA-Za-z-]+)*)?$/;
const strict =
  /^v?(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-[\dA-Za-z-]+(?:\.[\dA-Za-z-]+)*)?(?:\+[\dA-Za-z-]+(?:\.[\dA-Za-z-]+)*)?$/;
const largest = 2n ** 64n - 1n;
const maxLength = 256;

/** Undefined for what is no version; with `strict` also for what leaves out minor or patch. */
export function parseVersion(text: string, options: { strict?: boolean } = {}): Version | undefined {
  if (text.length > maxLength) return undefined;
  const parts = loose.exec(text);
  if (parts === null || (options.strict && !strict.test(text))) return undefined;
  const [, major = "0", minor = "0", patch = "0", prerelease = ""] = parts;
  const hasLeadingZero = prerelease.split(".").some((part) => /^0\d+$/.test(part));
  const numbers = { major: BigInt(major), minor: BigInt(minor), patch: BigInt(patch) };
  if (hasLeadingZero || Object.values(numbers).some((number) => number > largest)) return undefined;
  return { ...numbers, prerelease, original: text };
}

/** Negative, zero or positive, by the order of semantic versions; build metadata does not count. */
export function compareVersions(one: Version, other: Version): number {
  return (
    compare(one.major, other.major) ||
    compare(one.minor, other.minor) ||
    compare(one.patch, other.patch) ||
    comparePrereleases(one.prerelease, other.prerelease)
  );
}

/** The greatest first; of equal versions (`1.0` and `1.0.0`) the one whose text is greater. */
export function newestVersionFirst(one: Version, other: Version): number {
  return compareVersions(other, one) || compare(other.original, one.original);
}

/** A release ("") comes after all of its prereleases. */
export function comparePrereleases(one: string, other: string): number {
  if (one === other) return 0;
  if (one === "") return 1;
  if (other === "") return -1;
  const ones = one.split(".");
  const others = other.split(".");
  for (let at = 0; at < Math.max(ones.length, others.length); at++) {
    const order = comparePrereleaseParts(ones[at] ?? "", others[at] ?? "");
    if (order !== 0) return order;
  }
  return 0;
}

/** Numbers come before words and by value; a missing part before any other. */
function comparePrereleaseParts(one: string, other: string): number {
  if (one === "" || other === "") return compare(one, other);
  const oneNumber = asNumber(one);
  const otherNumber = asNumber(other);
  if (oneNumber !== undefined && otherNumber !== undefined) return compare(oneNumber, otherNumber);
  if (oneNumber === undefined && otherNumber === undefined) return compare(one, other);
  return oneNumber === undefined ? 1 : -1;
}

function asNumber(part: string): bigint | undefined {
  if (!/^\d+$/.test(part)) return undefined;
  const number = BigInt(part);
  return number > largest ? undefined : number;
}

function compare<T extends bigint | string>(one: T, other: T): number {
  return one === other ? 0 : one < other ? -1 : 1;
}
