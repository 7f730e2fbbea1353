import { ruleLibrary, type Zoned } from "#core/windows/library.ts";
import { WindowProblem } from "#core/windows/window-times.ts";

const form = /^(?:(?:DTSTART|DTEND)[;:])?(?:TZID=([^:;]+):)?(\d{8}(?:T\d{6})?)(Z?)$/;

/**
 * Reads `TZID=Europe/Berlin:20260101T090000`, `20260101T090000Z`, or, in the default zone, `20260101T090000` and
 * `20260101`. Throws a WindowProblem when it is none of these, or there is no such day or zone.
 */
export function readDateTime(field: "dtstart" | "dtend", text: string, defaultZone = "UTC"): Zoned {
  const [, named, clock, utc] = form.exec(text.trim()) ?? [];
  const problem = `${JSON.stringify(text)} is no date and time`;
  if (clock === undefined || (named !== undefined && utc === "Z")) {
    throw new WindowProblem(
      field,
      `${problem}; expected something like "TZID=Europe/Berlin:20260101T090000" or "20260101T090000Z"`,
    );
  }
  const zone = named ?? (utc === "Z" ? "UTC" : defaultZone);
  const time = clock.includes("T") ? clock : `${clock}T000000`;
  try {
    const { RRuleTemporal } = ruleLibrary();
    return new RRuleTemporal({ rruleString: `DTSTART;TZID=${zone}:${time}\nRRULE:FREQ=DAILY` }).options()
      .dtstart;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.replace(/^Temporal error: /, "") : String(cause);
    throw new WindowProblem(field, `${problem}: ${why}`, { cause });
  }
}

/** The moment as `readDateTime` reads it. */
export function formatDateTime(moment: Zoned): string {
  const clock = moment.toPlainDateTime().toString().slice(0, 19).replaceAll(/[-:]/g, "");
  return `TZID=${moment.timeZoneId}:${clock}`;
}
