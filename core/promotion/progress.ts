/** How far a promotion came. */
export type Progress =
  /** All steps are over; phase, message and finish time stand in the status, which is not saved yet. */
  | { state: "finished" }
  /** A step waits or is to be tried again; Infinity when only a wake-up can bring news. */
  | { state: "waiting"; retryInSeconds: number }
  /** By the signal, or since the daemon is about to stop. What was going on is on disk and goes on from there. */
  | { state: "interrupted" };
