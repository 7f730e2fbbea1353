import type { HostFunctions } from "./functions.ts";
import { matchPattern } from "./patterns.ts";
import type { Host } from "./runtime/host.ts";
import { Callable, Float, Sized } from "./runtime/values.ts";
import { decode, encode } from "./runtime/wire.ts";
import { zoneAt } from "./zones.ts";

/**
 * The outside of one evaluation. Answers are remembered: while the program waits for one and is run again,
 * the same questions get the same answers, the time of day included.
 */
export class Evaluation implements Host {
  private readonly functions: HostFunctions;
  private readonly tag: string;
  private answers: Map<string, string> | undefined;
  private pending: Promise<void> | undefined;
  private time: string | undefined;

  constructor(functions: HostFunctions, tag: string) {
    this.functions = functions;
    this.tag = tag;
  }

  /** Settles when the program that ended waiting may be run again. */
  async answered(): Promise<void> {
    await this.pending;
    this.pending = undefined;
  }

  call(name: string, args: string): string {
    const question = `${name}(${args})`;
    this.answers ??= new Map();
    const { answers } = this;
    const known = answers.get(question);
    if (known !== undefined) return known;
    const answer = this.ask(name, args);
    if (typeof answer === "string") {
      answers.set(question, answer);
      return answer;
    }
    this.pending = answer.then((text) => void answers.set(question, text));
    return "";
  }

  matches(pattern: string, text: string): boolean | string {
    return matchPattern(pattern, text);
  }

  now(): string {
    this.time ??= String(BigInt(Date.now()) * 1_000_000n);
    return this.time;
  }

  zone(name: string, unixSeconds: number): string {
    return zoneAt(name, unixSeconds);
  }

  private ask(name: string, args: string): string | Promise<string> {
    try {
      const values = (decode(JSON.parse(args), this.tag, callable) as unknown[]).map(plain);
      const answer = (Object.hasOwn(this.functions, name) ? this.functions[name] : undefined)?.call(values);
      return answer instanceof Promise
        ? answer.then((value) => this.write(value), failure)
        : this.write(answer);
    } catch (error) {
      return failure(error);
    }
  }

  private write(value: unknown): string {
    return JSON.stringify(encode(value, this.tag));
  }
}

/** Numbers as JavaScript has them: only expressions tell 5.0 from 5. */
function plain(value: unknown): unknown {
  return value instanceof Float || value instanceof Sized ? value.value : value;
}

function failure(error: unknown): string {
  return `!${error instanceof Error ? error.message : String(error)}`;
}

function callable(name: string): Callable {
  return new Callable(name, () => {
    throw new Error(`The function ${name} can be called only by an expression`);
  });
}
