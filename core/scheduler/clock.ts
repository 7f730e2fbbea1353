/** Tells the time and calls back once it has passed. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Returns the function that calls it off. */
  setTimer(callback: () => void, milliseconds: number): () => void;
}

export const systemClock: Clock = {
  now: Date.now,
  setTimer(callback, milliseconds) {
    const timer = setTimeout(callback, milliseconds);
    return () => clearTimeout(timer);
  },
};
