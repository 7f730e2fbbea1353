import type { Context } from "hono";
import { type SSEStreamingApi, streamSSE } from "hono/streaming";
import { UserError } from "#core/failure.ts";
import { LaggingError } from "#server/mailbox.ts";
import type { ServerLog } from "#server/services.ts";

export interface SseMessage {
  data: string;
  event?: string;
  /** What the reader sends as `Last-Event-ID` when it comes back. */
  id?: string;
}

const keepAliveMilliseconds = 15_000;

/** Opens server-sent event streams, no more than a set number at once. */
export function createStreams(limit: number, log: ServerLog) {
  const open = new Set<AbortController>();

  /** Sends what `source` yields until it ends or the reader goes away, whichever is first. */
  function stream(c: Context, source: (signal: AbortSignal) => AsyncIterable<SseMessage>): Response {
    if (open.size >= limit) {
      throw new UserError(`Cannot open another stream: ${limit} are open`, { status: 503 });
    }
    const ending = new AbortController();
    open.add(ending);
    c.header("X-Accel-Buffering", "no");
    return streamSSE(c, async (out) => {
      out.onAbort(() => ending.abort());
      const keepAlive = setInterval(() => void out.write(": keepalive\n\n"), keepAliveMilliseconds);
      try {
        // A comment, so that the reader knows at once that it is connected.
        await out.write(": open\n\n");
        for await (const message of source(ending.signal)) {
          if (out.aborted) break;
          await out.writeSSE(message);
        }
      } catch (error) {
        await sendError(out, error, log);
      } finally {
        clearInterval(keepAlive);
        open.delete(ending);
      }
    });
  }

  return {
    stream,
    /** Ends all streams; without it a server that closes would wait for its readers. */
    close() {
      for (const ending of open) ending.abort();
    },
    get count() {
      return open.size;
    },
  };
}

export type Streams = ReturnType<typeof createStreams>;

/** Errors after the headers travel as an event, in the shape that Kargo's clients know. */
async function sendError(out: SSEStreamingApi, error: unknown, log: ServerLog): Promise<void> {
  if (error instanceof StreamError || error instanceof LaggingError) {
    const code = error instanceof StreamError ? error.code : "out_of_range";
    await out.writeSSE({ event: "error", data: JSON.stringify({ code, message: error.message }) });
    return;
  }
  log.error("Cannot go on with a stream", { error });
  await out.writeSSE({
    event: "error",
    data: JSON.stringify({ code: "internal", message: "internal server error" }),
  });
}

/** Ends a stream with an event that tells its reader why. `code` is one of Connect's. */
export class StreamError extends Error {
  override name = "StreamError";
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}
