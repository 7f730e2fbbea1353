import { ExpressionError } from "./error.ts";
import { parseFloat64 } from "./runtime/numeric.ts";

/** A template is text with expressions in it; each knows its text as written between the delimiters. */
export type TemplatePart = { readonly text: string } | { readonly expression: string };

const delimiters = [
  { start: "${{", end: "}}" },
  { start: "${%", end: "%}" },
] as const;

/** Whether a string holds an expression at all. Strings that do not are left as they are, "42" included. */
export function isTemplate(text: string): boolean {
  return delimiters.some(({ start }) => text.includes(start));
}

/**
 * Cuts a template into its parts. An expression without an end goes to `unclosed`, with what would end it
 * and where it begins; without one it is an ExpressionError.
 */
export function scanTemplate(
  template: string,
  unclosed: (end: string, at: number) => never = (end, at) => refuse(template, end, at),
): TemplatePart[] {
  const parts: TemplatePart[] = [];
  let position = 0;
  for (;;) {
    const next = nextDelimiter(template, position);
    if (!next) break;
    const start = next.index + next.start.length;
    const end = template.indexOf(next.end, start);
    if (end < 0) unclosed(next.end, next.index);
    parts.push({ text: template.slice(position, next.index) });
    const expression = template.slice(start, end);
    position = end + next.end.length;
    // An empty expression ends the evaluation: what follows it is text, whatever it looks like.
    if (expression === "") break;
    parts.push({ expression });
  }
  parts.push({ text: template.slice(position) });
  return parts.filter((part) => !("text" in part) || part.text !== "");
}

function refuse(template: string, end: string, at: number): never {
  const reason = `unclosed expression: expected "${end}" but reached end of template`;
  throw new ExpressionError(reason, template, { from: at, to: template.length });
}

function nextDelimiter(template: string, from: number) {
  return delimiters
    .map((delimiter) => ({ ...delimiter, index: template.indexOf(delimiter.start, from) }))
    .filter(({ index }) => index >= 0)
    .sort((a, b) => a.index - b.index)[0];
}

/**
 * What a template's text stands for once its expressions are evaluated: a quoted string for what is in the
 * quotes; a number, a boolean or other JSON for itself; anything else for its text. One line end at the end
 * is set aside while looking, and put back on strings.
 */
export function coerce(evaluated: string): unknown {
  const lineEnd = evaluated.endsWith("\n") ? "\n" : "";
  const text = evaluated.slice(0, evaluated.length - lineEnd.length);
  if (text.length > 1 && text.startsWith('"') && text.endsWith('"')) return text.slice(1, -1) + lineEnd;
  return coerceScalar(text) ?? coerceJson(text, evaluated);
}

const booleans: ReadonlyMap<string, boolean> = new Map([
  ...["1", "t", "T", "TRUE", "true", "True"].map((word) => [word, true] as const),
  ...["0", "f", "F", "FALSE", "false", "False"].map((word) => [word, false] as const),
]);

function coerceScalar(text: string): number | boolean | undefined {
  return parseFloat64(text) ?? booleans.get(text);
}

function coerceJson(text: string, otherwise: string): unknown {
  try {
    // Numbers beyond all floats are no JSON to Go.
    return JSON.parse(text, (_key, value) =>
      Math.abs(value) === Number.POSITIVE_INFINITY ? unfit() : value,
    );
  } catch {
    return otherwise;
  }
}

function unfit(): never {
  throw new RangeError("A number is out of range");
}
