import { Duration, durationMethods } from "./duration.ts";
import { Time, timeMethods } from "./time.ts";
import { Callable, fail, Sized, typeName, type Value } from "./values.ts";
import { Version, versionMethods } from "./version.ts";
import { Location } from "./zone.ts";

/** A method: what it takes, and what it does. */
export interface Method<T> {
  readonly params: number;
  readonly call: (self: T, args: Value[], at: number) => Value;
}

export type Methods<T> = Readonly<Record<string, Method<T>>>;

const sizedMethods: Methods<Sized> = { String: { params: 0, call: (self) => self.label ?? "" } };
const locationMethods: Methods<Location> = { String: { params: 0, call: (self) => self.toString() } };

/** The method of that name, bound to the object, if its type has one. */
export function methodOf(object: Value, name: string): Callable | undefined {
  if (object instanceof Time) return bind(object, name, timeMethods);
  if (object instanceof Duration) return bind(object, name, durationMethods);
  if (object instanceof Version) return bind(object, name, versionMethods);
  if (object instanceof Location) return bind(object, name, locationMethods);
  if (object instanceof Sized && object.label !== undefined) return bind(object, name, sizedMethods);
  return undefined;
}

function bind<T>(object: T, name: string, methods: Methods<T>): Callable | undefined {
  if (!Object.hasOwn(methods, name)) return undefined;
  const method = methods[name] as Method<T>;
  return new Callable(name, (args, at) => {
    if (args.length !== method.params) {
      fail(`invalid number of arguments: expected ${method.params}, got ${args.length}`, at);
    }
    return method.call(object, args, at);
  });
}

/** The argument at a place, which must be of a class; else Go's complaint. */
export function argument<T>(
  value: Value,
  type: abstract new (...args: never[]) => T,
  name: string,
  at: number,
): T {
  if (value instanceof type) return value;
  return fail(`reflect: Call using ${typeName(value)} as type ${name}`, at);
}
