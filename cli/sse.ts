/** One server-sent event; `data` lines are joined. */
export interface ServerSentEvent {
  id: string | undefined;
  event: string;
  data: string;
}

/** Reads a `text/event-stream` body as the HTML standard says. Comments (keep-alives) are passed over. */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerSentEvent> {
  let block: string[] = [];
  for await (const line of lines(body)) {
    if (line !== "") {
      block.push(line);
      continue;
    }
    const event = parseBlock(block);
    block = [];
    if (event) yield event;
  }
}

async function* lines(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of body) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split(/\r\n|\n|\r(?!$)/);
    rest = parts.pop() ?? "";
    yield* parts;
  }
}

function parseBlock(block: readonly string[]): ServerSentEvent | undefined {
  const fields = block.filter((line) => !line.startsWith(":")).map(splitField);
  const data = fields.filter(([name]) => name === "data").map(([, value]) => value);
  if (data.length === 0) return undefined;
  const last = (wanted: string) => fields.findLast(([name]) => name === wanted)?.[1];
  return { id: last("id"), event: last("event") ?? "message", data: data.join("\n") };
}

function splitField(line: string): [name: string, value: string] {
  const colon = line.indexOf(":");
  return colon < 0 ? [line, ""] : [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, "")];
}
