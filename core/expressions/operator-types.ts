import type { Binary } from "./ast.ts";
import type { Nature } from "./natures.ts";
import * as n from "./natures.ts";
import { patternProblem } from "./patterns.ts";

/** Notes what is wrong with an operation; its type is then unknown. */
type Problem = (reason: string) => Nature;

/** The type of the result; undefined when the operands do not go together. */
export function operationNature(node: Binary, l: Nature, r: Nature, problem: Problem): Nature | undefined {
  const both = (is: (nature: Nature) => boolean) => is(l) && is(r);
  const maybe = (...tests: ((nature: Nature) => boolean)[]) => n.maybeCompatible(l, r, ...tests);
  switch (node.operator) {
    case "==":
    case "!=":
      return n.comparable(l, r) ? n.bool : undefined;
    case "or":
    case "||":
    case "and":
    case "&&":
      return both(n.isBool) || maybe(n.isBool) ? n.bool : undefined;
    case "<":
    case ">":
    case ">=":
    case "<=": {
      const ordered = [n.isNumber, n.isString, n.isTime, n.isDuration];
      return ordered.some(both) || maybe(...ordered) ? n.bool : undefined;
    }
    case "+":
      return sum(l, r) ?? (maybe(n.isNumber, n.isString, n.isTime, n.isDuration) ? n.unknown : undefined);
    case "-":
      return difference(l, r) ?? (maybe(n.isNumber, n.isTime, n.isDuration) ? n.unknown : undefined);
    case "*":
      if (both(n.isNumber)) return promote(l, r);
      if ([l, r].every((one) => n.isNumber(one) || n.isDuration(one))) return n.duration;
      return maybe(n.isNumber, n.isDuration) ? n.unknown : undefined;
    case "/":
    case "**":
    case "^":
      return both(n.isNumber) || maybe(n.isNumber) ? n.float : undefined;
    case "%":
      return both(n.isInteger) || maybe(n.isInteger) ? n.int : undefined;
    case "..":
      return both(n.isInteger) || maybe(n.isInteger) ? n.arrayOf(n.int) : undefined;
    case "in":
      return membership(l, r, problem);
    case "matches":
      return matching(node, l, r, problem);
    case "contains":
    case "startsWith":
    case "endsWith":
      return both(n.isString) || maybe(n.isString) ? n.bool : undefined;
    case "??":
      if (l.kind === "nil") return r;
      if (r.kind === "nil") return l;
      return n.assignable(r, l) ? l : n.unknown;
  }
  return problem(`unknown operator (${node.operator})`);
}

function sum(l: Nature, r: Nature): Nature | undefined {
  if (n.isNumber(l) && n.isNumber(r)) return promote(l, r);
  if (n.isString(l) && n.isString(r)) return n.string;
  if (n.isTime(l) && n.isDuration(r)) return n.time;
  if (n.isDuration(l) && n.isTime(r)) return n.time;
  return n.isDuration(l) && n.isDuration(r) ? n.duration : undefined;
}

function difference(l: Nature, r: Nature): Nature | undefined {
  if (n.isNumber(l) && n.isNumber(r)) return promote(l, r);
  if (n.isTime(l) && n.isTime(r)) return n.duration;
  if (n.isTime(l) && n.isDuration(r)) return n.time;
  return n.isDuration(l) && n.isDuration(r) ? n.duration : undefined;
}

function membership(l: Nature, r: Nature, problem: Problem): Nature | undefined {
  if ((n.isString(l) || n.isUnknown(l)) && r.kind === "struct") return n.bool;
  if (r.kind === "map") {
    const key = r.key ?? n.unknown;
    if (n.isUnknown(l) || n.assignable(l, key)) return n.bool;
    return problem(`cannot use ${l.type} as type ${key.type} in map key`);
  }
  if (n.isArray(r)) {
    const element = r.element ?? n.unknown;
    if (n.comparable(l, element)) return n.bool;
    return problem(`cannot use ${l.type} as type ${element.type} in array`);
  }
  if (n.isUnknown(l) && n.isString(r)) return n.bool;
  return n.isUnknown(r) ? n.bool : undefined;
}

function matching(node: Binary, l: Nature, r: Nature, problem: Problem): Nature | undefined {
  const refusal = node.right.kind === "string" ? patternProblem(node.right.value) : undefined;
  if (refusal) return problem(refusal);
  if ((n.isString(l) || l.type === n.bytes.type) && n.isString(r)) return n.bool;
  return n.maybeCompatible(l, r, n.isString) ? n.bool : undefined;
}

function promote(l: Nature, r: Nature): Nature {
  return n.isFloat(l) || n.isFloat(r) ? n.float : n.int;
}
