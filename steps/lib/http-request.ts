import { z } from "zod";
import { StepFailure } from "#core/failure.ts";
import { parseDuration } from "#core/resources/duration.ts";

/** As Kargo's schema has it; whether it is a duration as a whole shows when it is read. */
export const durationText = z
  .string()
  .regex(/(?:\d+(ns|us|µs|ms|s|m|h))+/, 'must be a duration such as "30s"');

export const headersField = z.array(
  z.strictObject({
    name: z.string().min(1).describe("Name of the header."),
    value: z.string().min(1).describe("Value of the header."),
  }),
);

export const queryParamsField = z.array(
  z.strictObject({
    name: z.string().min(1).describe("Name of the parameter."),
    value: z.string().min(1).describe("Value of the parameter; it is encoded for the URL."),
  }),
);

interface NameAndValue {
  name: string;
  value: string;
}

/** The seconds of a duration such as "1m30s". */
export function secondsOf(text: string, field: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds === undefined) {
    throw new StepFailure("refused", `Cannot read ${field} "${text}": it is not a duration such as "30s"`);
  }
  if (milliseconds < 0) {
    throw new StepFailure("refused", `Cannot use ${field} "${text}": no time is shorter than none`);
  }
  return milliseconds / 1_000;
}

/** The URL with parameters added. With any, all are sorted by name and written anew, as Go does it. */
export function withQuery(url: string, queryParams: readonly NameAndValue[] = []): string {
  if (queryParams.length === 0) return url;
  const target = URL.parse(url);
  if (target === null) throw new StepFailure("refused", `Cannot read URL ${JSON.stringify(url)}`);
  for (const { name, value } of queryParams) target.searchParams.append(name, value);
  target.searchParams.sort();
  return target.href;
}

export function headersOf(headers: readonly NameAndValue[] = []): Headers {
  const result = new Headers();
  for (const { name, value } of headers) {
    try {
      result.append(name, value);
    } catch (error) {
      throw new StepFailure(
        "errored",
        `Cannot send header "${name}": its name or value has characters that may not stand there`,
        {
          cause: error,
        },
      );
    }
  }
  return result;
}

/**
 * The failure for an answer that is not 2xx. A busy server is asked again; 502 and 504 leave open whether
 * the request was carried out, so what must not happen twice is not repeated for them.
 */
export function badStatus(url: string, method: string, status: number): StepFailure {
  const isBusy = status === 429 || status === 503;
  const isFaltering = status === 502 || status === 504;
  const mayRepeat = isBusy || (isFaltering && method !== "POST" && method !== "PATCH");
  const { origin, pathname } = new URL(url);
  return new StepFailure(
    mayRepeat ? "unavailable" : "unsuccessful",
    `"${origin}${pathname}" answered ${status}`,
  );
}
