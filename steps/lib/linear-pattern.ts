import { RE2JS } from "re2js";

/**
 * Whether a text as a whole fits a regular expression, in time that grows with the text's length alone: a
 * pattern out of a template must not be able to keep the daemon busy. Throws when the source cannot be read.
 */
export function linearPattern(source: string): (text: string) => boolean {
  const pattern = RE2JS.compile(source, RE2JS.DOTALL);
  return (text) => pattern.matches(text);
}

/** The source that stands for a text itself. */
export function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|&~-]/g, "\\$&");
}
