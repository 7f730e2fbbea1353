import type { StepFailure } from "#core/failure.ts";

/** Line ends of YAML 1.1 alone, behind which a comment or a text ends for Kustomize. */
const otherLineEnds = /[\u0085\u2028\u2029]|\r(?!\n)/;
/** Where Kustomize parts documents, and YAML does not. */
const otherSeparator = /^---\S/m;

/**
 * The text of a file that is checked here and read by Kustomize afterwards, which must see nothing else in it:
 * it would read UTF-16, too, and ends lines where we do not.
 */
export function oneReading(source: string | Uint8Array, refusal: (why: string) => StepFailure): string {
  const text = typeof source === "string" ? source : decoded(source, refusal);
  if (otherLineEnds.test(text)) throw refusal("its lines must end with LF or CRLF, and some end otherwise");
  if (otherSeparator.test(text)) throw refusal('documents must be parted by lines of "---" alone');
  return text;
}

function decoded(bytes: Uint8Array, refusal: (why: string) => StepFailure): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw refusal("it must be UTF-8, and is not");
  }
}
