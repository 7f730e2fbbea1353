import { text } from "./conversions.ts";
import { argument, type Methods } from "./method.ts";
import { compareStrings } from "./text.ts";
import { fail, Sized, type Value } from "./values.ts";

const pattern =
  /^v?(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?$/;

const largest = (1n << 64n) - 1n;

/** What semverParse gives: a semantic version, with the liberties that Go's Masterminds/semver takes. */
export class Version {
  readonly numbers: readonly [bigint, bigint, bigint];
  readonly prerelease: string;
  readonly metadata: string;
  readonly original: string;
  /** Versions derived from another are Go values, which have fewer methods than the pointer that parsing gives. */
  readonly derived: boolean;

  constructor(
    numbers: readonly [bigint, bigint, bigint],
    prerelease: string,
    metadata: string,
    original: string,
    derived = false,
  ) {
    this.numbers = numbers;
    this.prerelease = prerelease;
    this.metadata = metadata;
    this.original = original;
    this.derived = derived;
  }

  /** Throws an Error with Go's complaint. */
  static parse(source: string): Version {
    const match = pattern.exec(source);
    if (!match) throw new Error(complaint(source));
    const [, major = "0", minor = "0", patch = "0", prerelease = "", metadata = ""] = match;
    const numbers = [major, minor, patch].map(BigInt) as [bigint, bigint, bigint];
    if (numbers.some((number) => number > largest))
      throw new Error("error parsing version segment: value out of range");
    if (prerelease.split(".").some((part) => /^0\d+$/.test(part))) {
      throw new Error("version segment starts with 0");
    }
    return new Version(numbers, prerelease, metadata, source);
  }

  get type(): string {
    return this.derived ? "semver.Version" : "*semver.Version";
  }

  get key(): string {
    return `version ${this.toString()}`;
  }

  toString(): string {
    const suffix = (mark: string, part: string) => (part === "" ? "" : mark + part);
    return this.numbers.join(".") + suffix("-", this.prerelease) + suffix("+", this.metadata);
  }

  toJson(): string {
    return this.toString();
  }

  compare(other: Version): number {
    for (let i = 0; i < 3; i++) {
      const [a, b] = [this.numbers[i] as bigint, other.numbers[i] as bigint];
      if (a !== b) return a < b ? -1 : 1;
    }
    return comparePrereleases(this.prerelease, other.prerelease);
  }

  /** The same as a value and not a pointer. */
  derive(): Version {
    return new Version(this.numbers, this.prerelease, this.metadata, this.original, true);
  }

  with(numbers: readonly [bigint, bigint, bigint], prerelease: string, metadata: string): Version {
    const next = new Version(numbers, prerelease, metadata, "", true);
    const prefix = this.original.startsWith("v") ? "v" : "";
    return new Version(numbers, prerelease, metadata, prefix + next, true);
  }
}

function complaint(source: string): string {
  return source === "" ? "version string empty" : "invalid semantic version";
}

function comparePrereleases(a: string, b: string): number {
  if (a === b) return 0;
  if (a === "") return 1;
  if (b === "") return -1;
  const [left, right] = [a.split("."), b.split(".")];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const order = compareParts(left[i], right[i]);
    if (order !== 0) return order;
  }
  return 0;
}

/** Numbers come before words, and nothing before something. */
function compareParts(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0;
  if (a === undefined) return -1;
  if (b === undefined) return 1;
  const [x, y] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (x && y) return BigInt(a) === BigInt(b) ? 0 : BigInt(a) < BigInt(b) ? -1 : 1;
  if (x !== y) return x ? -1 : 1;
  return compareStrings(a, b);
}

const part = (index: 0 | 1 | 2) => ({
  params: 0,
  call: (self: Version): Value => new Sized("uint64", Number(self.numbers[index])),
});

const other = (name: string, test: (order: number) => boolean) => ({
  params: 1,
  call(self: Version, [operand]: Value[], at: number): Value {
    if (self.derived) return fail(`cannot fetch ${name} from semver.Version`, at);
    return test(self.compare(argument(operand, Version, "*semver.Version", at)));
  },
});

export const versionMethods: Methods<Version> = {
  Major: part(0),
  Minor: part(1),
  Patch: part(2),
  Prerelease: { params: 0, call: (self) => self.prerelease },
  Metadata: { params: 0, call: (self) => self.metadata },
  Original: { params: 0, call: (self) => self.original },
  String: { params: 0, call: (self) => self.toString() },
  IncMajor: { params: 0, call: (self) => self.with([self.numbers[0] + 1n, 0n, 0n], "", "") },
  IncMinor: { params: 0, call: (self) => self.with([self.numbers[0], self.numbers[1] + 1n, 0n], "", "") },
  IncPatch: { params: 0, call: incrementPatch },
  SetPrerelease: {
    params: 1,
    call: (self, [value], at) => self.with(self.numbers, checked(text(value, at), true, at), self.metadata),
  },
  SetMetadata: {
    params: 1,
    call: (self, [value], at) =>
      self.with(self.numbers, self.prerelease, checked(text(value, at), false, at)),
  },
  Compare: {
    params: 1,
    call: (self, [operand], at) => self.compare(argument(operand, Version, "*semver.Version", at)),
  },
  Equal: other("Equal", (order) => order === 0),
  GreaterThan: other("GreaterThan", (order) => order > 0),
  GreaterThanEqual: other("GreaterThanEqual", (order) => order >= 0),
  LessThan: other("LessThan", (order) => order < 0),
  LessThanEqual: other("LessThanEqual", (order) => order <= 0),
};

/** The patch after a prerelease is the release itself. */
function incrementPatch(self: Version): Version {
  const [major, minor, patch] = self.numbers;
  return self.with([major, minor, self.prerelease === "" ? patch + 1n : patch], "", "");
}

function checked(value: string, prerelease: boolean, at: number): string {
  if (value === "") return value;
  if (!/^[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*$/.test(value)) {
    return fail(prerelease ? "invalid prerelease string" : "invalid metadata string", at);
  }
  if (prerelease && value.split(".").some((one) => /^0\d+$/.test(one))) {
    return fail("version segment starts with 0", at);
  }
  return value;
}
