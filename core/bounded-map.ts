/** A map that forgets what has not been used for longest once it holds too much. */
export interface BoundedMap<Value> {
  get(key: string): Value | undefined;
  /** A value heavier than the limit is not kept at all. */
  set(key: string, value: Value): void;
  delete(key: string): void;
}

/** `limit` is the sum of the weights of all values; each weighs 1 unless `weigh` says otherwise. */
export function createBoundedMap<Value>(
  limit: number,
  weigh: (value: Value) => number = () => 1,
): BoundedMap<Value> {
  // A Map keeps the order of insertion: what is used is inserted anew, so that the first is the oldest.
  const entries = new Map<string, Value>();
  let total = 0;

  function remove(key: string): void {
    const value = entries.get(key);
    if (value === undefined || !entries.delete(key)) return;
    total -= weigh(value);
  }

  return {
    get(key) {
      const value = entries.get(key);
      if (value === undefined) return undefined;
      entries.delete(key);
      entries.set(key, value);
      return value;
    },
    set(key, value) {
      remove(key);
      entries.set(key, value);
      total += weigh(value);
      for (const oldest of entries.keys()) {
        if (total <= limit) break;
        remove(oldest);
      }
    },
    delete: remove,
  };
}
