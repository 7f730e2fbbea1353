import { readDateTime } from "#core/windows/date-time.ts";
import { readRecurrence } from "#core/windows/recurrence.ts";
import { WindowProblem, type WindowTimes } from "#core/windows/window-times.ts";

/** When a window is there. */
export interface Calendar {
  /** How it stands at a moment, in milliseconds since the epoch. A start belongs to the window, an end does not. */
  at(moment: number): Standing;
}

export interface Standing {
  active: boolean;
  /** The next moment at which it begins, or may end; undefined when there is none. */
  nextChange: number | undefined;
}

/**
 * A window without a rule is there once; without a start it has always been, without an end it never ends. With a
 * rule, each of its times takes exactly as long as the first, as RFC 5545 has it for what is given an end.
 *
 * Throws a WindowProblem when a field cannot be read.
 */
export function readCalendar({ rrule, dtstart, dtend }: WindowTimes): Calendar {
  const start = dtstart ? readDateTime("dtstart", dtstart) : undefined;
  const end = dtend ? readDateTime("dtend", dtend, start?.timeZoneId) : undefined;
  if (start !== undefined && end !== undefined && end.epochMilliseconds <= start.epochMilliseconds) {
    throw new WindowProblem("dtend", "a window must end after it starts");
  }
  if (!rrule) return once(start?.epochMilliseconds, end?.epochMilliseconds);
  if (start === undefined) throw new WindowProblem("dtstart", "a window with an rrule needs its first start");
  if (end === undefined) {
    throw new WindowProblem(
      "dtend",
      "a window with an rrule needs its first end, which tells how long it is",
    );
  }
  const length = end.epochMilliseconds - start.epochMilliseconds;
  const recurrence = readRecurrence(rrule, start);
  return {
    at(moment) {
      const { last = Number.NEGATIVE_INFINITY, next } = recurrence.startsAround(moment);
      return standing(moment, last, last + length, next);
    },
  };
}

function once(start = Number.NEGATIVE_INFINITY, end = Number.POSITIVE_INFINITY): Calendar {
  return { at: (moment) => standing(moment, start, end) };
}

function standing(moment: number, start: number, end: number, next = Number.POSITIVE_INFINITY): Standing {
  const changes = [start, end, next].filter((change) => change > moment && Number.isFinite(change));
  return {
    active: start <= moment && moment < end,
    nextChange: changes.length === 0 ? undefined : Math.min(...changes),
  };
}
