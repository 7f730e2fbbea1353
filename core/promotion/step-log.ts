import type { Masker, MaskingStream } from "#core/credentials/masker.ts";
import type { StepLogWriter } from "#core/promotion/engine.ts";
import type { LogKey, LogLine, Store } from "#core/store/store.ts";

const linesAtOnce = 200;
const linesReadAtOnce = 1000;
const longestDelayMilliseconds = 100;

export interface StepLogOptions {
  store: Pick<Store, "appendLog" | "readLog">;
  masker: Pick<Masker, "stream">;
  now(): Date;
  /** Hears of a log that cannot be written; the step that writes it goes on. */
  onError(error: unknown): void;
}

/**
 * Collects the lines of a step and hands them to the store in bunches, soon enough for somebody who
 * watches. Secrets are masked, those that go over several lines too.
 */
export function openStepLog(key: LogKey, { store, masker, now, onError }: StepLogOptions): StepLogWriter {
  const maskers = new Map<LogLine["stream"], LineMasker>();
  let waiting: LogLine[] = [];
  let timer: NodeJS.Timeout | undefined;
  let written: Promise<void> = Promise.resolve();

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    if (waiting.length === 0) return;
    const lines = waiting;
    waiting = [];
    written = written.then(() => store.appendLog(key, lines)).catch(onError);
  }

  function add(stream: LogLine["stream"], texts: readonly string[], at = now().toISOString()): void {
    waiting.push(...texts.map((text) => ({ at, stream, text })));
    if (waiting.length >= linesAtOnce) flush();
    else if (waiting.length > 0) timer ??= setTimeout(flush, longestDelayMilliseconds);
  }

  return {
    write({ stream, text, at }) {
      const lines = maskers.get(stream) ?? maskLines(masker.stream());
      maskers.set(stream, lines);
      add(stream, lines.write(text), at);
    },
    async lastAt(stream) {
      let last: LogLine | undefined;
      for (let from = 0; ; ) {
        const lines = await store.readLog(key, from, linesReadAtOnce);
        last = lines.findLast((line) => line.stream === stream) ?? last;
        from += lines.length;
        if (lines.length < linesReadAtOnce) return last?.at;
      }
    },
    async close() {
      for (const [stream, lines] of maskers) add(stream, lines.end());
      flush();
      await written;
    },
  };
}

interface LineMasker {
  /** Returns the lines that can be shown by now. */
  write(line: string): string[];
  end(): string[];
}

function maskLines(stream: MaskingStream): LineMasker {
  let rest = "";
  return {
    write(line) {
      const lines = (rest + stream.write(`${line}\n`)).split("\n");
      rest = lines.pop() ?? "";
      return lines;
    },
    end() {
      const text = rest + stream.end();
      return text === "" ? [] : text.replace(/\n$/, "").split("\n");
    },
  };
}
