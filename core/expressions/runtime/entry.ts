/** What the outside calls: compile a program, run it. */
import * as access from "./access.ts";
import { resetBudget, spend } from "./budget.ts";
import { builtins } from "./builtins.ts";
import { range } from "./collections.ts";
import { text } from "./conversions.ts";
import { host } from "./host.ts";
import { toJson } from "./json.ts";
import { newMap } from "./maps.ts";
import * as operators from "./operators.ts";
import * as predicates from "./predicates.ts";
import { asJSON, asYAML, quote, unsafeQuote } from "./quoting.ts";
import { Bytes, Callable, Failure, fail, float, isNil, type Value } from "./values.ts";
import { decode, encode } from "./wire.ts";

/** Thrown when a host function has no answer yet: the program is run again once it has. */
class Waiting extends Error {}

let tag = "";

/** Calls a host function by its name. */
function call(name: string, args: Value[], at: number): Value {
  const answer = host.call(name, JSON.stringify(args.map((arg) => encode(arg, tag))));
  if (answer === "") throw new Waiting();
  if (answer.startsWith("!")) fail(answer.slice(1), at);
  return read(answer);
}

function read(text: string): Value {
  const parsed = JSON.parse(text);
  return text.includes(tag) ? decode(parsed, tag, callable) : parsed;
}

function callable(name: string): Callable {
  return new Callable(name, (args, at) => call(name, args, at));
}

/** A part of a template: strings as they are, everything else as JSON. */
function show(value: Value, at: number): string {
  return typeof value === "string" ? value : toJson(value, at);
}

function array(elements: Value[], at: number): Value[] {
  spend(elements.length, at);
  return elements;
}

function mapOf(pairs: [Value, Value][], at: number): Value {
  spend(pairs.length, at);
  const map = newMap();
  // The first of two pairs with one key wins.
  for (const [key, value] of pairs.reverse()) map[text(key, at)] = value;
  return map;
}

/** Everything that compiled programs use. */
const library = Object.freeze({
  ...operators,
  ...access,
  ...predicates,
  bytes: (data: number[]) => new Bytes(data),
  float,
  range,
  array,
  mapOf,
  builtins,
  call,
  show,
  toJson,
  quote,
  unsafeQuote,
  asJSON,
  asYAML,
  given: (value: Value) => (isNil(value) ? null : value),
  own: (env: Value, name: string) => access.fetch(env, name, -1),
});

type Program = (env: Value) => string;

export function start(secretTag: string): void {
  tag = secretTag;
}

/** Makes a program of the JavaScript that the compiler wrote. */
export function define(source: string): Program {
  return new Function("$", source)(library);
}

/**
 * Runs a program over an environment in JSON, behind a "!" when there is anything of the wire in it. The
 * answer begins with a letter: `s` and what the program returned, `w` when it waits for the outside, `f`,
 * the number of a place and a reason when it failed.
 */
export function run(program: Program, env: string): string {
  resetBudget();
  try {
    const isWire = env.startsWith("!");
    return `s${program(isWire ? decode(JSON.parse(env.slice(1)), tag, callable) : JSON.parse(env))}`;
  } catch (error) {
    if (error instanceof Waiting) return "w";
    if (error instanceof Failure) return `f${error.at}|${error.message}`;
    // A limit of the machine ends it; what is left is the JavaScript's own, such as a string too long.
    if (!(error instanceof Error) || error.name === "InternalError") throw error;
    return `f-1|${error.message}`;
  }
}
