import type { RRuleOptions, RRuleTemporal } from "rrule-temporal";
import { didYouMean } from "#core/nearest-name.ts";
import { formatDateTime } from "#core/windows/date-time.ts";
import { ruleLibrary, type Zoned } from "#core/windows/library.ts";
import { WindowProblem } from "#core/windows/window-times.ts";

/** When something begins again and again. Times are milliseconds since the epoch. */
export interface Recurrence {
  /** The last start at or before the moment, and the first after it. */
  startsAround(at: number): { last: number | undefined; next: number | undefined };
}

/** More than clocks are ever set forward or back. */
const widestShift = { hours: 3 };

/**
 * Rules count on the clock on the wall. So the starts are found on a clock that is never set, and each of them is
 * then looked up in the zone of the first: one that is skipped when clocks go forward comes as much later, and of one
 * that comes twice the first counts. (The library would leave out what is skipped, and a freeze that begins at half
 * past two would not come that night.)
 *
 * Throws a WindowProblem when the rule cannot be read.
 */
export function readRecurrence(text: string, first: Zoned): Recurrence {
  const { RRuleTemporal } = ruleLibrary();
  const zone = first.timeZoneId;
  const unset = (moment: Zoned) => moment.withTimeZone(zone).toPlainDateTime().toZonedDateTime("UTC");
  const { until, ...options } = parseRule(text, first).options();
  const rule = new RRuleTemporal({
    ...options,
    tzid: "UTC",
    dtstart: unset(first),
    ...(until === undefined ? {} : { until: unset(until) }),
  } as RRuleOptions);

  /** Those around the moment, and the ones before and after; in no order. */
  function startsNear(at: number): number[] {
    const clock = unset(first.add({ milliseconds: at - first.epochMilliseconds }));
    const from = clock.subtract(widestShift);
    const to = clock.add(widestShift);
    const found = [rule.previous(from, true), ...rule.between(from, to), rule.next(to, true)];
    return found.flatMap((start) =>
      start === null ? [] : start.toPlainDateTime().toZonedDateTime(zone).epochMilliseconds,
    );
  }

  const ifAny = (value: number) => (Number.isFinite(value) ? value : undefined);
  return {
    startsAround(at) {
      const starts = startsNear(at);
      return {
        last: ifAny(Math.max(...starts.filter((start) => start <= at))),
        next: ifAny(Math.min(...starts.filter((start) => start > at))),
      };
    },
  };
}

function parseRule(text: string, first: Zoned): RRuleTemporal {
  const { RRuleTemporal } = ruleLibrary();
  const rule = text.trim().replace(/^RRULE:/, "");
  let parsed: RRuleTemporal;
  try {
    parsed = new RRuleTemporal({ rruleString: `DTSTART;${formatDateTime(first)}\nRRULE:${rule}` });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new WindowProblem("rrule", `${JSON.stringify(text)} is no recurrence rule: ${why}`, { cause });
  }
  for (const part of rule.split(";")) checkPart(part, { ...parsed.options() });
  return parsed;
}

/** What the library calls the parts of a rule. */
const partNames: Readonly<Record<string, string>> = {
  FREQ: "freq",
  INTERVAL: "interval",
  COUNT: "count",
  UNTIL: "until",
  WKST: "wkst",
  RSCALE: "rscale",
  SKIP: "skip",
  BYSECOND: "bySecond",
  BYMINUTE: "byMinute",
  BYHOUR: "byHour",
  BYDAY: "byDay",
  BYMONTHDAY: "byMonthDay",
  BYYEARDAY: "byYearDay",
  BYWEEKNO: "byWeekNo",
  BYMONTH: "byMonth",
  BYSETPOS: "bySetPos",
};

/** The library passes over parts that it does not know and values that are out of range. */
function checkPart(part: string, understood: Record<string, unknown>): void {
  const [name = "", value = ""] = part.split("=");
  const known = partNames[name.toUpperCase()];
  if (known === undefined) {
    throw new WindowProblem(
      "rrule",
      `a recurrence rule has no part "${name}"${didYouMean(name.toUpperCase(), Object.keys(partNames))}`,
    );
  }
  const given = understood[known];
  const isMeant = name.toUpperCase().startsWith("BY")
    ? Array.isArray(given) && given.length === value.split(",").length
    : given !== undefined && given !== 0;
  if (!isMeant) throw new WindowProblem("rrule", `"${part}" has a value that means nothing there`);
}
