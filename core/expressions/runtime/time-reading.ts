/** The numbers that the clocks of a zone show. */
export interface Reading {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly nanosecond: number;
  readonly weekday: number;
  /** From 1. */
  readonly dayOfYear: number;
  readonly offset: number;
  readonly abbreviation: string;
}
