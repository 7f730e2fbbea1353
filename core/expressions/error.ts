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
