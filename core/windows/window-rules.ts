import type { FieldError } from "#core/resources/field-error.ts";
import type { Path } from "#core/resources/path.ts";
import { readCalendar } from "#core/windows/calendar.ts";
import { WindowProblem, type WindowTimes } from "#core/windows/window-times.ts";

/** What is wrong with a window's times, at the field that it is wrong in. */
export function windowTimeErrors(times: WindowTimes, path: Path): FieldError[] {
  try {
    readCalendar(times);
    return [];
  } catch (error) {
    if (!(error instanceof WindowProblem)) throw error;
    return [{ path: [...path, error.field], message: error.message }];
  }
}
