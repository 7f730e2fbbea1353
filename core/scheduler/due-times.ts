import type { ResourceRef } from "#core/resources/resource.ts";
import { keyName } from "#core/scheduler/key-name.ts";
import type { DueTime } from "#core/store/store.ts";

/** When keys are due, earliest first; one time for each key. */
export interface DueTimes {
  get(key: ResourceRef): number | undefined;
  /** Replaces the key's time; undefined takes it away. */
  set(key: ResourceRef, at: number | undefined): void;
  /** The earliest of all times. */
  next(): number | undefined;
  /** Takes out the keys that are due at `now`. */
  takeDue(now: number): ResourceRef[];
}

/** A binary heap; an entry that its key no longer stands for is dropped when it comes to the top. */
export function createDueTimes(): DueTimes {
  const current = new Map<string, DueTime>();
  const heap: DueTime[] = [];

  const isEarlier = (a: number, b: number) => (heap[a] as DueTime).at < (heap[b] as DueTime).at;
  const swap = (a: number, b: number) => {
    [heap[a], heap[b]] = [heap[b] as DueTime, heap[a] as DueTime];
  };

  function push(entry: DueTime): void {
    heap.push(entry);
    for (let at = heap.length - 1; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!isEarlier(at, parent)) break;
      swap(at, parent);
      at = parent;
    }
  }

  function pop(): void {
    swap(0, heap.length - 1);
    heap.pop();
    for (let at = 0; ; ) {
      const [left, right] = [2 * at + 1, 2 * at + 2];
      let earliest = at;
      if (left < heap.length && isEarlier(left, earliest)) earliest = left;
      if (right < heap.length && isEarlier(right, earliest)) earliest = right;
      if (earliest === at) return;
      swap(at, earliest);
      at = earliest;
    }
  }

  function first(): DueTime | undefined {
    for (let entry = heap[0]; entry !== undefined; entry = heap[0]) {
      if (current.get(keyName(entry.key)) === entry) return entry;
      pop();
    }
    return undefined;
  }

  return {
    get: (key) => current.get(keyName(key))?.at,
    set(key, at) {
      const name = keyName(key);
      if (at === undefined) {
        current.delete(name);
        return;
      }
      const entry = { key, at };
      current.set(name, entry);
      push(entry);
    },
    next: () => first()?.at,
    takeDue(now) {
      const due: ResourceRef[] = [];
      for (let entry = first(); entry !== undefined && entry.at <= now; entry = first()) {
        pop();
        current.delete(keyName(entry.key));
        due.push(entry.key);
      }
      return due;
    },
  };
}
