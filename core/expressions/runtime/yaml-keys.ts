import { Float, isInt, Sized, type Value } from "./values.ts";

/** The order that yaml.v3 gives keys: numbers first, and numbers inside of names by their value. */
export function compareYamlKeys(a: Value, b: Value): number {
  const [x, y] = [numberOf(a), numberOf(b)];
  if (x !== undefined && y !== undefined) return x - y;
  if (typeof a !== "string" || typeof b !== "string") return x !== undefined ? -1 : y !== undefined ? 1 : 0;
  if (a === b) return 0;
  return isLess([...a], [...b]) ? -1 : 1;
}

function numberOf(key: Value): number | undefined {
  if (isInt(key) || typeof key === "number") return Number(key);
  if (typeof key === "boolean") return key ? 1 : 0;
  return key instanceof Float || key instanceof Sized ? key.value : undefined;
}

const isDigit = (character: string | undefined) => character !== undefined && /\p{Nd}/u.test(character);
const isLetter = (character: string) => /\p{L}/u.test(character);

function isLess(a: readonly string[], b: readonly string[]): boolean {
  let afterDigit = false;
  for (let i = 0; i < a.length && i < b.length; i++) {
    const [x, y] = [a[i] as string, b[i] as string];
    if (x === y) {
      afterDigit = isDigit(x);
      continue;
    }
    const [xLetter, yLetter] = [isLetter(x), isLetter(y)];
    if (xLetter && yLetter) return x < y;
    if (xLetter || yLetter) return afterDigit ? xLetter : yLetter;
    return isLessFrom(a, b, i);
  }
  return a.length < b.length;
}

/** The two differ from `i` on, and neither has a letter there: what numbers they have decide. */
function isLessFrom(a: readonly string[], b: readonly string[], i: number): boolean {
  // After digits that are no zeros, a zero counts as a digit of a longer number.
  const start = (a[i] === "0" || b[i] === "0") && hasDigitBefore(a, i) ? 1 : 0;
  const [x, xEnd] = numberFrom(a, i, start);
  const [y, yEnd] = numberFrom(b, i, start);
  if (x !== y) return x < y;
  if (xEnd !== yEnd) return xEnd < yEnd;
  return (a[i] as string) < (b[i] as string);
}

function hasDigitBefore(text: readonly string[], i: number): boolean {
  for (let j = i - 1; j >= 0 && isDigit(text[j]); j--) {
    if (text[j] !== "0") return true;
  }
  return false;
}

function numberFrom(text: readonly string[], start: number, initial: number): [number, number] {
  let value = initial;
  let end = start;
  for (; isDigit(text[end]); end++) value = value * 10 + Number(text[end]);
  return [value, end];
}
