/** When a window is: once, from `dtstart` to `dtend`, or again and again by a rule of RFC 5545. */
export interface WindowTimes {
  rrule?: string;
  dtstart?: string;
  dtend?: string;
}

/** A field of a window that cannot be read, and why. */
export class WindowProblem extends Error {
  override name = "WindowProblem";
  readonly field: keyof WindowTimes;

  constructor(field: keyof WindowTimes, message: string, options?: ErrorOptions) {
    super(message, options);
    this.field = field;
  }
}
