/** Those who want to hear of something, told in the order in which it happened. */
export interface Watchers<T> {
  add(listener: (news: T) => void): () => void;
  /**
   * Tells every listener. News that a listener causes while it is told are told after the present ones,
   * so that nobody hears of a later change first. A listener that throws does not keep the others from it;
   * its error surfaces as an uncaught exception, being a bug of ours.
   */
  tell(news: readonly T[]): void;
  readonly size: number;
}

export function createWatchers<T>(): Watchers<T> {
  const listeners = new Set<(news: T) => void>();
  const pending: T[] = [];
  let telling = false;

  function tellOne(news: T): void {
    for (const listener of [...listeners]) {
      try {
        listener(news);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  return {
    get size() {
      return listeners.size;
    },
    add(listener) {
      const own = (news: T) => listener(news);
      listeners.add(own);
      return () => void listeners.delete(own);
    },
    tell(news) {
      pending.push(...news);
      if (telling) return;
      telling = true;
      while (pending.length > 0) tellOne(pending.shift() as T);
      telling = false;
    },
  };
}
