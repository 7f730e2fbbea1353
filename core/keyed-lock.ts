/** Lets one piece of work at a time run under each key; first come, first served. */
export interface KeyedLock {
  /** Waits for its turn, no longer than until the signal is aborted, and then does the work. */
  run<T>(key: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}

export function createKeyedLock(): KeyedLock {
  /** Settled when the last one in the queue has had its turn. Keys that nobody waits for are not kept. */
  const tails = new Map<string, Promise<void>>();

  return {
    async run(key, work, signal) {
      const before = tails.get(key) ?? Promise.resolve();
      const { promise: turnEnded, resolve: endTurn } = Promise.withResolvers<void>();
      const tail = before.then(() => turnEnded);
      tails.set(key, tail);
      try {
        await untilAborted(before, signal);
        return await work();
      } finally {
        endTurn();
        if (tails.get(key) === tail) tails.delete(key);
      }
    },
  };
}

async function untilAborted(turn: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return turn;
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    await Promise.race([turn, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
