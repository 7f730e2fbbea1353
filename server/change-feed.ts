import { randomBytes } from "node:crypto";
import type { ResourceChange, Store } from "#core/store/store.ts";
import { Mailbox } from "#server/mailbox.ts";

/** A change and the place right after it. */
export interface PlacedChange {
  position: string;
  change: ResourceChange;
}

/**
 * The store's changes with places to resume at, as Kubernetes has them: a list names the place it was taken
 * at, and a watch goes on from there without a gap. Only the latest changes are kept; who comes back later,
 * or after a restart, has to list again.
 */
export interface ChangeFeed {
  /** The place after all changes so far. */
  position(): string;
  /** Changes from a place on (from now on without one). Fails with an ExpiredPositionError. */
  follow(signal: AbortSignal, after?: string): AsyncIterable<PlacedChange>;
  close(): void;
}

export class ExpiredPositionError extends Error {
  override name = "ExpiredPositionError";
}

const keptChanges = 512;

export function createChangeFeed(store: Pick<Store, "watch">, backlog: number): ChangeFeed {
  // Places of an earlier run must not be taken for places of this one.
  const run = randomBytes(4).toString("hex");
  const kept: PlacedChange[] = [];
  const followers = new Set<Mailbox<PlacedChange>>();
  let count = 0;

  const place = (number: number) => `${run}-${number}`;
  const unwatch = store.watch((change) => {
    // Secrets are never shown as they are, so nobody follows them.
    if (change.resource.kind === "Secret") return;
    count += 1;
    const placed = { position: place(count), change };
    kept.push(placed);
    if (kept.length > keptChanges) kept.shift();
    for (const follower of followers) follower.push(placed);
  });

  /** What came after a place; undefined when that is not known any more. */
  function missed(after: string): PlacedChange[] | undefined {
    const number = after.startsWith(`${run}-`) ? Number(after.slice(run.length + 1)) : Number.NaN;
    const first = count - kept.length;
    if (!Number.isInteger(number) || number < first || number > count) return undefined;
    return kept.slice(number - first);
  }

  return {
    position: () => place(count),

    async *follow(signal, after) {
      const mailbox = new Mailbox<PlacedChange>(backlog);
      const end = () => mailbox.close();
      signal.addEventListener("abort", end, { once: true });
      followers.add(mailbox);
      try {
        const earlier = after === undefined ? [] : missed(after);
        if (!earlier) throw new ExpiredPositionError(`"${after}" is too old`);
        if (signal.aborted) return;
        yield* earlier;
        yield* mailbox;
      } finally {
        followers.delete(mailbox);
        signal.removeEventListener("abort", end);
      }
    },

    close() {
      unwatch();
      for (const follower of followers) follower.close();
    },
  };
}
