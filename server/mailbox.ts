/**
 * A queue between one who calls back and one who awaits. A reader that lags too far behind loses its place
 * rather than the daemon its memory: iteration then fails with a LaggingError.
 */
export class Mailbox<T> implements AsyncIterable<T> {
  readonly #limit: number;
  readonly #items: T[] = [];
  #wake: (() => void) | undefined;
  #end: { error?: Error } | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  push(item: T): void {
    if (this.#end) return;
    if (this.#items.length >= this.#limit) {
      this.#items.length = 0;
      this.close(new LaggingError());
      return;
    }
    this.#items.push(item);
    this.#wake?.();
  }

  close(error?: Error): void {
    this.#end ??= error ? { error } : {};
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<T> {
    for (;;) {
      while (this.#items.length > 0) yield this.#items.shift() as T;
      if (this.#end?.error) throw this.#end.error;
      if (this.#end) return;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }
}

export class LaggingError extends Error {
  override name = "LaggingError";

  constructor() {
    super("the reader lags too far behind");
  }
}
