import { readFileSync } from "node:fs";
import * as nodeModule from "node:module";
import {
  newQuickJSWASMModuleFromVariant,
  type QuickJSContext,
  type QuickJSHandle,
  type QuickJSRuntime,
  RELEASE_SYNC,
} from "quickjs-emscripten";
import type { Host } from "./runtime/host.ts";

export interface SandboxLimits {
  /** All that one sandbox may hold, its own runtime of about 3 MiB included. */
  readonly memoryBytes: number;
  /** For one run. */
  readonly milliseconds: number;
}

/** The run was ended from outside, or the machine inside broke: the sandbox must not be used again. */
export class SandboxBroken extends Error {}

/** A program inside of a sandbox; good for that sandbox only. */
export type ProgramHandle = QuickJSHandle;

const stackBytes = 256 * 1024;

/**
 * A QuickJS machine with the expression runtime loaded. It sees nothing of the outside but the functions of
 * the host that a run is given. Runs are synchronous; one must end before the next begins.
 */
export class Sandbox {
  private readonly runtime: QuickJSRuntime;
  private readonly context: QuickJSContext;
  private readonly limits: SandboxLimits;
  private readonly entry: QuickJSHandle;
  private readonly defineFunction: QuickJSHandle;
  private readonly runFunction: QuickJSHandle;
  private host: Host | undefined;
  private deadline = Number.POSITIVE_INFINITY;

  static async create(limits: SandboxLimits, tag: string): Promise<Sandbox> {
    // A machine of its own, and not the shared one, so that a broken one can be thrown away whole.
    const machine = await newQuickJSWASMModuleFromVariant(RELEASE_SYNC);
    return new Sandbox(machine.newRuntime(), limits, tag);
  }

  private constructor(runtime: QuickJSRuntime, limits: SandboxLimits, tag: string) {
    this.runtime = runtime;
    this.limits = limits;
    runtime.setMaxStackSize(stackBytes);
    runtime.setModuleLoader(loadModule);
    runtime.setInterruptHandler(() => performance.now() > this.deadline);
    this.context = runtime.newContext();
    this.installHost();
    this.entry = this.context.unwrapResult(
      this.context.evalCode(bootstrap, "runtime/bootstrap.ts", { type: "module" }),
    );
    this.defineFunction = this.context.getProp(this.context.global, "towpathDefine");
    this.runFunction = this.context.getProp(this.context.global, "towpathRun");
    const start = this.context.getProp(this.context.global, "towpathStart");
    this.call(start, [this.context.newString(tag)]).dispose();
    start.dispose();
    this.context.unwrapResult(this.context.evalCode(lockdown)).dispose();
    runtime.removeModuleLoader();
    runtime.setMemoryLimit(limits.memoryBytes);
  }

  /** Makes a program of compiled JavaScript; dispose of it when it is no longer needed. */
  define(source: string): ProgramHandle {
    return this.call(this.defineFunction, [this.context.newString(source)]);
  }

  /** Runs a program over an environment in JSON; what it asks of the outside goes to `host`. */
  run(program: ProgramHandle, env: string, host: Host): string {
    this.host = host;
    try {
      const result = this.call(this.runFunction, [program, this.context.newString(env)], program);
      const text = this.context.getString(result);
      result.dispose();
      return text;
    } finally {
      this.host = undefined;
    }
  }

  dispose(): void {
    for (const handle of [this.entry, this.defineFunction, this.runFunction]) handle.dispose();
    this.context.dispose();
    this.runtime.dispose();
  }

  private call(callee: QuickJSHandle, args: QuickJSHandle[], kept?: QuickJSHandle): QuickJSHandle {
    this.deadline = performance.now() + this.limits.milliseconds;
    try {
      const result = this.context.callFunction(callee, this.context.undefined, ...args);
      if (result.error === undefined) return result.value;
      const error = this.context.dump(result.error) as { name?: string; message?: string };
      result.error.dispose();
      throw new SandboxBroken(String(error.message ?? error));
    } catch (error) {
      if (error instanceof SandboxBroken) throw error;
      throw new SandboxBroken(error instanceof Error ? error.message : String(error), { cause: error });
    } finally {
      this.deadline = Number.POSITIVE_INFINITY;
      for (const arg of args) if (arg !== kept && arg.alive) arg.dispose();
    }
  }

  private installHost(): void {
    const { context } = this;
    const host = context.newObject();
    const install = (name: string, work: (host: Host, ...args: QuickJSHandle[]) => QuickJSHandle) => {
      const handle = context.newFunction(name, (...args) => {
        if (!this.host) throw new Error("There is no evaluation under way");
        return work(this.host, ...args);
      });
      context.setProp(host, name, handle);
      handle.dispose();
    };
    const text = (handle: QuickJSHandle | undefined) => context.getString(handle as QuickJSHandle);
    install("matches", (outside, pattern, subject) => {
      const answer = outside.matches(text(pattern), text(subject));
      if (typeof answer === "string") return context.newString(answer);
      return answer ? context.true : context.false;
    });
    install("now", (outside) => context.newString(outside.now()));
    install("zone", (outside, name, seconds) =>
      context.newString(outside.zone(text(name), context.getNumber(seconds as QuickJSHandle))),
    );
    install("call", (outside, name, args) => context.newString(outside.call(text(name), text(args))));
    context.setProp(context.global, "towpathHost", host);
    host.dispose();
  }
}

const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";

const entry = `./entry.${extension}`;

const bootstrap = `
  import { define, run, start } from "${entry}";
  Object.assign(globalThis, { towpathDefine: define, towpathRun: run, towpathStart: start });
`;

/** Takes the ways into the machine away, and makes what is left unchangeable. */
const lockdown = `
  for (const name of ["towpathHost", "towpathDefine", "towpathRun", "towpathStart"]) delete globalThis[name];
  for (const type of [Function, Array, String, Number, Boolean, BigInt, Symbol, Error, Map, Set, Promise, RegExp]) {
    Object.freeze(type);
    Object.freeze(type.prototype);
  }
  Object.freeze(Object);
  // Without these a plain object has nothing but its own members, whatever an expression asks it for.
  for (const name of Reflect.ownKeys(Object.prototype)) delete Object.prototype[name];
  Object.freeze(Object.prototype);
  Object.freeze(globalThis);
`;

/** The source of a module of the runtime: as it lies there when it was built, its types taken out otherwise. */
function loadModule(name: string): string {
  const file = name.slice(name.lastIndexOf("/") + 1);
  const source = readFileSync(new URL(`./runtime/${file}`, import.meta.url), "utf8");
  return extension === "ts" ? stripTypes(source) : source;
}

/** Node warns once that it may yet change how it strips types; that is nothing our users could act on. */
function stripTypes(source: string): string {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return nodeModule.stripTypeScriptTypes(source);
  } finally {
    process.emitWarning = emitWarning;
  }
}
