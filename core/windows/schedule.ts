import { createBoundedMap } from "#core/bounded-map.ts";
import { type Calendar, readCalendar, type Standing } from "#core/windows/calendar.ts";
import type { WindowTimes } from "#core/windows/window-times.ts";

/** A time in which something is allowed or denied. */
export interface Window extends WindowTimes {
  name: string;
  kind: "Allow" | "Deny";
}

/** What windows come to at a moment. */
export interface Schedule {
  closed: boolean;
  /** Why it is closed, for people. */
  reason?: string;
  /** When it opens; absent while it is open, and where no opening is known. */
  nextOpen?: Date;
  /** When it closes, and why; absent while it is closed, and where no closing is known. */
  nextClose?: Date;
  nextCloseReason?: string;
}

/** Windows that change more often before the schedule turns are followed no further: its turn is then not known. */
const mostChanges = 500;
/** Some rules take long to follow, and nothing else happens meanwhile. */
const mostMilliseconds = 100;
const mostCalendars = 500;
const calendars = createBoundedMap<Calendar>(mostCalendars);

/**
 * Open is what no active Deny window forbids and, where there are Allow windows, one of them allows. Throws a
 * WindowProblem when a window cannot be read, as all here do.
 */
export function isOpen(windows: readonly Window[], now: Date): boolean {
  return look(windows, now.getTime()).reason === undefined;
}

/** When it is open next: now if it is; undefined where no opening is known. */
export function nextOpen(windows: readonly Window[], now: Date): Date | undefined {
  return isOpen(windows, now) ? now : nextTurn(windows, now.getTime())?.at;
}

export function scheduleAt(windows: readonly Window[], now: Date): Schedule {
  const { reason } = look(windows, now.getTime());
  const turn = nextTurn(windows, now.getTime());
  if (reason !== undefined) return { closed: true, reason, ...(turn && { nextOpen: turn.at }) };
  return { closed: false, ...(turn && { nextClose: turn.at, nextCloseReason: turn.reason }) };
}

/** When it turns from open to closed or back; with why, where it closes. */
function nextTurn(windows: readonly Window[], now: number): { at: Date; reason?: string } | undefined {
  const first = look(windows, now);
  let latest = first;
  const ends = performance.now() + mostMilliseconds;
  for (let changes = 0; latest.nextChange !== undefined && changes < mostChanges; changes += 1) {
    if (performance.now() > ends) return undefined;
    const at = latest.nextChange;
    latest = look(windows, at);
    if ((latest.reason === undefined) !== (first.reason === undefined)) {
      return { at: new Date(at), reason: latest.reason };
    }
  }
  return undefined;
}

interface Look {
  /** Why it is closed; undefined when it is open. */
  reason?: string;
  /** Nothing turns before this; undefined when nothing ever does. */
  nextChange: number | undefined;
}

function look(windows: readonly Window[], at: number): Look {
  const all = windows.map((window) => ({ window, ...calendarOf(window).at(at) }));
  const denying = all.find(({ window, active }) => window.kind === "Deny" && active);
  if (denying !== undefined) {
    return { reason: `window "${denying.window.name}" denies it`, nextChange: denying.nextChange };
  }
  const allowing = all.filter(({ window }) => window.kind === "Allow");
  if (allowing.length === 0 || allowing.some(({ active }) => active)) return { nextChange: soonest(all) };
  const names = allowing.map(({ window }) => `"${window.name}"`).join(", ");
  const which = allowing.length === 1 ? "window" : "the windows";
  return { reason: `it is allowed in ${which} ${names} only`, nextChange: soonest(allowing) };
}

function soonest(standings: readonly Standing[]): number | undefined {
  const changes = standings.flatMap(({ nextChange }) => nextChange ?? []);
  return changes.length === 0 ? undefined : Math.min(...changes);
}

function calendarOf(window: Window): Calendar {
  const key = JSON.stringify([window.rrule, window.dtstart, window.dtend]);
  const known = calendars.get(key);
  if (known !== undefined) return known;
  const calendar = readCalendar(window);
  calendars.set(key, calendar);
  return calendar;
}
