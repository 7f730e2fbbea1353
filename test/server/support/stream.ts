import { onTestFinished } from "vitest";
import type { TestServer } from "#test/server/support/test-server.ts";

export interface StreamedEvent {
  id?: string;
  event?: string;
  json: unknown;
}

/** Reads server-sent events as they come. */
export async function openStream(
  server: TestServer,
  path: string,
  headers: Record<string, string> = {},
): Promise<{
  status: number;
  next(): Promise<StreamedEvent>;
  until(fits: (event: StreamedEvent) => boolean): Promise<StreamedEvent>;
  close(): Promise<void>;
}> {
  const response = await server.call("GET", path, undefined, headers);
  if (!response.body) throw new Error(`No stream at ${path}`);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const close = () => reader.cancel();
  onTestFinished(close);
  let rest = "";

  async function next(): Promise<StreamedEvent> {
    for (;;) {
      const end = rest.indexOf("\n\n");
      if (end < 0) {
        const { value, done } = await reader.read();
        if (done) throw new Error("The stream has ended");
        rest += value;
        continue;
      }
      const block = rest.slice(0, end);
      rest = rest.slice(end + 2);
      const event = parse(block);
      if (event) return event;
    }
  }

  return {
    status: response.status,
    next,
    async until(fits) {
      for (;;) {
        const event = await next();
        if (fits(event)) return event;
      }
    },
    close,
  };
}

function parse(block: string): StreamedEvent | undefined {
  const fields = new Map(block.split("\n").map((line) => line.split(/: ?(.*)/s, 2) as [string, string]));
  const data = fields.get("data");
  if (data === undefined) return undefined;
  const [id, event] = [fields.get("id"), fields.get("event")];
  return {
    ...(id === undefined ? {} : { id }),
    ...(event === undefined ? {} : { event }),
    json: JSON.parse(data),
  };
}
