import type { Nature } from "./natures.ts";
import * as n from "./natures.ts";

const booleanPredicates = new Set(
  "all none any one filter count find findLast findIndex findLastIndex".split(" "),
);

/** What `#index` and `#acc` are inside of a built-in's predicate. */
export function pointersOf(builtin: string): Readonly<Record<string, Nature>> {
  if (builtin === "reduce") return { index: n.int, acc: n.unknown };
  return builtin === "map" ? { index: n.int } : {};
}

/** What a built-in gives, by what it runs over and what its predicate gives. */
export function predicateResult(name: string, collection: Nature, element: Nature, body: Nature): Nature {
  switch (name) {
    case "all":
    case "none":
    case "any":
    case "one":
      return n.bool;
    case "count":
    case "findIndex":
    case "findLastIndex":
      return n.int;
    case "filter":
      return n.isUnknown(collection) ? n.list : n.arrayOf(element);
    case "map":
      return n.arrayOf(body);
    case "groupBy":
      return { ...n.anyMap, type: "map[interface {}][]interface {}", element: n.arrayOf(element) };
    case "sortBy":
      return collection;
    case "find":
    case "findLast":
      return element;
  }
  return body;
}

/** Why a predicate, or the third argument, does not do for a built-in. */
export function predicateRefusal(name: string, body: Nature, third: Nature | undefined) {
  if (booleanPredicates.has(name) && !n.isBool(body) && !n.isUnknown(body)) {
    return { reason: `predicate should return boolean (got ${body.type})`, third: false };
  }
  if (name === "sortBy" && third && !n.isString(third) && !n.isUnknown(third)) {
    return { reason: `sortBy order argument must be a string (got ${third.type})`, third: true };
  }
  return undefined;
}
