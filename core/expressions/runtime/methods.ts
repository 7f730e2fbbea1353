import { Duration, durationMethods } from "./duration.ts";
import type { Method, Methods } from "./method.ts";
import { Time } from "./time.ts";
import { timeMethods } from "./time-methods.ts";
import { Callable, fail, Sized, type Value } from "./values.ts";
import { Version, versionMethods } from "./version.ts";
import { Location } from "./zone.ts";

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
