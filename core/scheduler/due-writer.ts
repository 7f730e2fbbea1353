import type { ResourceRef } from "#core/resources/resource.ts";
import { keyName } from "#core/scheduler/key-name.ts";
import type { DueTime, Store } from "#core/store/store.ts";

/** Brings due times to disk: all that were set in one turn of the event loop in one transaction. */
export interface DueWriter {
  /** What the store holds already; nothing is written when it stays so. */
  assume(stored: readonly DueTime[]): void;
  set(key: ResourceRef, at: number | undefined): void;
  /** The store has forgotten the key by itself. */
  forget(key: ResourceRef): void;
  flush(): Promise<void>;
}

export function createDueWriter(store: Store, onError: (error: unknown) => void): DueWriter {
  const stored = new Map<string, number>();
  const wanted = new Map<string, { key: ResourceRef; at: number | undefined }>();
  let scheduled = false;

  async function flush(): Promise<void> {
    scheduled = false;
    const changes = [...wanted].filter(([name, { at }]) => stored.get(name) !== at);
    wanted.clear();
    if (changes.length === 0) return;
    try {
      await store.write(changes.map(([, { key, at }]) => ({ op: "due", key, at })));
      for (const [name, { at }] of changes) {
        if (at === undefined) stored.delete(name);
        else stored.set(name, at);
      }
    } catch (error) {
      // A full disk, say. They still hold for this daemon, and go along with the next ones that are set.
      for (const [name, change] of changes) if (!wanted.has(name)) wanted.set(name, change);
      onError(error);
    }
  }

  return {
    assume(times) {
      for (const { key, at } of times) stored.set(keyName(key), at);
    },
    set(key, at) {
      const name = keyName(key);
      if (stored.get(name) === at) {
        wanted.delete(name);
        return;
      }
      wanted.set(name, { key, at });
      if (scheduled) return;
      scheduled = true;
      setImmediate(() => void flush());
    },
    forget(key) {
      wanted.delete(keyName(key));
      stored.delete(keyName(key));
    },
    flush,
  };
}
