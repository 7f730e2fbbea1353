import type { Resource } from "#core/resources/resource.ts";
import type { LogKey, LogLine, Store } from "#core/store/store.ts";
import { Mailbox } from "#server/mailbox.ts";

const linesAtOnce = 500;

export interface Followed {
  key: LogKey;
  /** Number of the first line, counted from 0. */
  from: number;
  /** Whether a change of the resource may mean that the log has ended. */
  concerns(resource: Resource): boolean;
  /** Whether nothing more will be written. */
  hasEnded(): Promise<boolean>;
  signal: AbortSignal;
}

/** A log's lines as they come, in bunches, each with the number of its first; ends when the log does. */
export async function* followLog(
  store: Store,
  { key, from, concerns, hasEnded, signal }: Followed,
): AsyncGenerator<{ from: number; lines: LogLine[] }> {
  const news = new Mailbox<undefined>(Number.POSITIVE_INFINITY);
  let told = false;
  const wake = () => {
    // One wake-up is enough for whatever came until it is handled.
    if (told) return;
    told = true;
    news.push(undefined);
  };
  const unwatchLog = store.watchLog(key, wake);
  const unwatch = store.watch(({ resource }) => {
    if (concerns(resource)) wake();
  });
  signal.addEventListener("abort", () => news.close(), { once: true });
  wake();
  let next = from;
  const read = () => store.readLog(key, next, linesAtOnce);
  try {
    for await (const _ of news) {
      told = false;
      // Asked before the log is read: what is written until the end is then read for certain.
      const ended = await hasEnded();
      for (let lines = await read(); lines.length > 0; lines = await read()) {
        yield { from: next, lines };
        next += lines.length;
      }
      if (ended) return;
    }
  } finally {
    unwatchLog();
    unwatch();
  }
}
