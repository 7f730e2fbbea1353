export type PredicateArgument = "value" | "predicate" | "value?" | "predicate?";

/** The built-ins that take a predicate, with what each of their arguments is. */
export const predicateBuiltins: ReadonlyMap<string, readonly PredicateArgument[]> = new Map(
  Object.entries({
    all: ["value", "predicate"],
    none: ["value", "predicate"],
    any: ["value", "predicate"],
    one: ["value", "predicate"],
    filter: ["value", "predicate"],
    map: ["value", "predicate"],
    count: ["value", "predicate?"],
    sum: ["value", "predicate?"],
    find: ["value", "predicate"],
    findIndex: ["value", "predicate"],
    findLast: ["value", "predicate"],
    findLastIndex: ["value", "predicate"],
    groupBy: ["value", "predicate"],
    sortBy: ["value", "predicate", "value?"],
    reduce: ["value", "predicate", "value?"],
  } satisfies Record<string, PredicateArgument[]>),
);

const plainBuiltins =
  "len type abs ceil floor round int float string trim trimPrefix trimSuffix upper lower split splitAfter " +
  "replace repeat join indexOf lastIndexOf hasPrefix hasSuffix max min mean median toJSON fromJSON toBase64 " +
  "fromBase64 now duration date timezone first last get take keys values toPairs fromPairs reverse uniq concat " +
  "flatten sort bitand bitor bitxor bitnand bitshl bitshr bitushr bitnot";

/** Every built-in function of the language. */
export const builtinNames: readonly string[] = [...predicateBuiltins.keys(), ...plainBuiltins.split(" ")];

const all = new Set(builtinNames);

export function isBuiltin(name: string): boolean {
  return all.has(name);
}
