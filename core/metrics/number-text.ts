/** A list of numbers as measurements tell it: `[0.95,1]`. */
export function listText(numbers: readonly number[]): string {
  return `[${numbers.map(numberText).join(",")}]`;
}

/** A number as Prometheus and Go write it. */
export function numberText(number: number): string {
  if (number === Number.POSITIVE_INFINITY) return "+Inf";
  if (number === Number.NEGATIVE_INFINITY) return "-Inf";
  return String(number);
}
