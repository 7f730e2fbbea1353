/** Where in an expression's text something stands: UTF-16 offsets, the end excluded. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/**
 * An expression that cannot be read, does not fit its types, or failed while it ran. The message names the
 * place and shows the line of the expression with a caret under it.
 */
export class ExpressionError extends Error {
  /** What is wrong, without the place. */
  readonly reason: string;
  readonly expression: string;
  /** Counted from 1, in characters; 0 when no place is known. */
  readonly line: number;
  readonly column: number;

  constructor(reason: string, expression: string, at?: Span, options?: ErrorOptions) {
    const place = at && locate(expression, at.from);
    super(place ? `${reason} (${place.line}:${place.column})${place.snippet}` : reason, options);
    this.name = "ExpressionError";
    this.reason = reason;
    this.expression = expression;
    this.line = place?.line ?? 0;
    this.column = place?.column ?? 0;
  }
}

function locate(text: string, offset: number): { line: number; column: number; snippet: string } {
  const before = text.slice(0, offset);
  const start = before.lastIndexOf("\n") + 1;
  const end = text.indexOf("\n", start);
  const source = text.slice(start, end < 0 ? text.length : end);
  const column = [...text.slice(start, offset)].length;
  const snippet = source === "" ? "" : `\n | ${source.replaceAll("\t", " ")}\n | ${".".repeat(column)}^`;
  return { line: before.split("\n").length, column: column + 1, snippet };
}

/** The name among `names` that `name` was probably meant to be, if one is near enough. */
export function nearestName(name: string, names: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of names) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase(), bestDistance);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Levenshtein's distance; anything from `limit` on is reported as `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return Math.min(row[b.length] as number, limit);
}
