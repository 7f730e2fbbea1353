import { Duration, durationMethods } from "./duration.ts";
import type { Methods } from "./methods.ts";

export class Time {
  readonly type = "time.Time";
  readonly unixNanoseconds = 0n;
  readonly zone = "";
  get key(): string {
    return "";
  }
  toJson(): string {
    return "";
  }
  compare(_other: Time): number {
    return 0;
  }
  add(_duration: Duration): Time {
    return this;
  }
  sub(_other: Time): Duration {
    return new Duration(0);
  }
}
export const timeMethods: Methods<Time> = {};
export { Duration, durationMethods };
export function date(_args: unknown[], _at: number): Time {
  return new Time();
}
export function now(_zone: unknown): Time {
  return new Time();
}
export function timezone(_name: string, _at: number): unknown {
  return null;
}
export function timeFromUnix(_nanoseconds: bigint, _zone: string): Time {
  return new Time();
}
