import { StepFailure } from "#core/failure.ts";
import { codeOf } from "#core/file-failure.ts";

/** What the system and undici call trouble that may pass. */
const passing = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EPIPE",
  "ETIMEDOUT",
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
  "UND_ERR_SOCKET",
]);

/** The StepFailure for an exchange that broke; StepFailures pass through. */
export function networkFailure(
  what: string,
  error: unknown,
  { timedOutAfterSeconds }: { timedOutAfterSeconds: number | undefined },
): StepFailure {
  if (timedOutAfterSeconds !== undefined) {
    return new StepFailure(
      "transient",
      `Cannot ${what}: no complete answer within ${timedOutAfterSeconds} s`,
      {
        cause: error,
      },
    );
  }
  if (error instanceof StepFailure) return error;
  // A name with several addresses fails with one error for each.
  const first = error instanceof AggregateError ? (error.errors[0] ?? error) : error;
  const kind = passing.has(codeOf(first)) ? "transient" : "errored";
  const why = first instanceof Error ? first.message : String(first);
  return new StepFailure(kind, `Cannot ${what}: ${why}`, { cause: error });
}
