import { host } from "./host.ts";
import { fail } from "./values.ts";

/** Whether a regular expression of Go's syntax matches somewhere in the text. */
export function matchesPattern(pattern: string, text: string, at: number): boolean {
  const answer = host.matches(pattern, text);
  return typeof answer === "string" ? fail(answer, at) : answer;
}
