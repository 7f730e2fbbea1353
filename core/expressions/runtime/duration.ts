import { argument, type Methods } from "./method.ts";
import { Float, fail, float, isInt, isNumber, isUint, Sized, type Value, wrap } from "./values.ts";

type Nanoseconds = number | bigint;

/** Go's time.Duration: an int of 64 bits that counts nanoseconds. */
export class Duration {
  readonly type = "time.Duration";
  readonly nanoseconds: Nanoseconds;

  constructor(nanoseconds: Nanoseconds) {
    this.nanoseconds = nanoseconds;
  }

  /** As a key of a map. */
  get key(): string {
    return `time.Duration ${this.nanoseconds}`;
  }

  plus(other: Duration): Duration {
    return new Duration(wrap(BigInt(this.nanoseconds) + BigInt(other.nanoseconds)));
  }

  negated(): Duration {
    return new Duration(wrap(-BigInt(this.nanoseconds)));
  }

  /** Times a number or, as the language has it, a duration; undefined for anything else. */
  times(other: Value, _at: number): Value | undefined {
    if (other instanceof Duration) return this.times(other.nanoseconds, _at);
    if (isInt(other) || isUint(other)) {
      const factor = other instanceof Sized ? other.value : other;
      return new Duration(wrap(BigInt(this.nanoseconds) * BigInt(factor)));
    }
    if (!isNumber(other)) return undefined;
    return float(Number(this.nanoseconds) * (other instanceof Float ? other.value : (other as number)));
  }

  in(unit: number): number {
    const total = BigInt(this.nanoseconds);
    const whole = total / BigInt(unit);
    return Number(whole) + Number(total % BigInt(unit)) / unit;
  }

  toString(): string {
    return printDuration(BigInt(this.nanoseconds));
  }
}

const units: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

const limit = 1n << 63n;

/** Reads what Go's time.ParseDuration reads: "1h15m30.918s". */
export function parseDuration(text: string, at: number): Duration {
  const [, sign, body] = /^([+-]?)([\s\S]*)$/.exec(text) as unknown as [string, string, string];
  if (body === "0") return new Duration(0);
  const invalid = (): never => fail(`time: invalid duration ${JSON.stringify(text)}`, at);
  if (body === "") invalid();
  let total = 0n;
  let rest = body;
  while (rest !== "") {
    const part = /^(\d*)(?:(\.)(\d*))?([^\d.]*)/.exec(rest) as RegExpExecArray;
    const [all, whole = "", point, fraction = "", unit = ""] = part;
    if (whole === "" && fraction === "") invalid();
    if (unit === "") return fail(`time: missing unit in duration ${JSON.stringify(text)}`, at);
    if (!Object.hasOwn(units, unit)) {
      return fail(`time: unknown unit ${JSON.stringify(unit)} in duration ${JSON.stringify(text)}`, at);
    }
    const size = units[unit] as bigint;
    total += BigInt(whole === "" ? 0 : whole) * size;
    if (point !== undefined) total += BigInt(Math.trunc(Number(`0.${fraction || "0"}`) * Number(size)));
    if (total > limit) invalid();
    rest = rest.slice(all.length);
  }
  if (sign === "-") return new Duration(wrap(-total));
  if (total >= limit) invalid();
  return new Duration(wrap(total));
}

/** As Go prints a duration: "1h15m30.918s", with smaller units below a second. */
function printDuration(nanoseconds: bigint): string {
  if (nanoseconds === 0n) return "0s";
  const sign = nanoseconds < 0n ? "-" : "";
  const total = nanoseconds < 0n ? -nanoseconds : nanoseconds;
  if (total < 1_000n) return `${sign}${total}ns`;
  if (total < 1_000_000n) return `${sign}${decimal(total, 1_000n)}µs`;
  if (total < 1_000_000_000n) return `${sign}${decimal(total, 1_000_000n)}ms`;
  const minutes = total / 60_000_000_000n;
  const seconds = decimal(total % 60_000_000_000n, 1_000_000_000n);
  if (minutes === 0n) return `${sign}${seconds}s`;
  const hours = minutes / 60n;
  return hours === 0n ? `${sign}${minutes}m${seconds}s` : `${sign}${hours}h${minutes % 60n}m${seconds}s`;
}

function decimal(value: bigint, unit: bigint): string {
  const digits = unit.toString().length - 1;
  const fraction = (value % unit).toString().padStart(digits, "0").replace(/0+$/, "");
  return fraction === "" ? `${value / unit}` : `${value / unit}.${fraction}`;
}

export const durationMethods: Methods<Duration> = {
  Hours: { params: 0, call: (self) => float(self.in(3_600_000_000_000)) },
  Minutes: { params: 0, call: (self) => float(self.in(60_000_000_000)) },
  Seconds: { params: 0, call: (self) => float(self.in(1_000_000_000)) },
  Milliseconds: { params: 0, call: (self) => wrap(BigInt(self.nanoseconds) / 1_000_000n) },
  Microseconds: { params: 0, call: (self) => wrap(BigInt(self.nanoseconds) / 1_000n) },
  Nanoseconds: { params: 0, call: (self) => self.nanoseconds },
  Abs: { params: 0, call: (self) => new Duration(magnitude(BigInt(self.nanoseconds))) },
  String: { params: 0, call: (self) => self.toString() },
  Truncate: {
    params: 1,
    call: (self, [unit], at) => truncateTo(self, argument(unit, Duration, "time.Duration", at)),
  },
  Round: {
    params: 1,
    call: (self, [unit], at) => roundTo(self, argument(unit, Duration, "time.Duration", at)),
  },
};

function magnitude(value: bigint): Nanoseconds {
  return value === -limit ? wrap(limit - 1n) : wrap(value < 0n ? -value : value);
}

function truncateTo(duration: Duration, unit: Duration): Duration {
  const size = BigInt(unit.nanoseconds);
  const total = BigInt(duration.nanoseconds);
  return size <= 0n ? duration : new Duration(wrap(total - (total % size)));
}

/** To the nearest multiple, halves away from zero; what does not fit stays at the border. */
function roundTo(duration: Duration, unit: Duration): Duration {
  const size = BigInt(unit.nanoseconds);
  if (size <= 0n) return duration;
  const total = BigInt(duration.nanoseconds);
  const absolute = total < 0n ? -total : total;
  const rest = absolute % size;
  const rounded = rest * 2n < size ? absolute - rest : absolute - rest + size;
  const signed = total < 0n ? -rounded : rounded;
  if (signed >= limit) return new Duration(wrap(limit - 1n));
  return new Duration(signed < -limit ? wrap(-limit) : wrap(signed));
}
