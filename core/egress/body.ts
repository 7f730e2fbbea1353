import { Readable } from "node:stream";
import { StepFailure } from "#core/failure.ts";

interface BodySettings {
  /** What is read, for messages. */
  what: string;
  maxBodyBytes: number;
  headers: Headers;
  /** Called once when the body has ended, well or not. */
  close: () => void;
  /** Turns what went wrong into what is thrown. */
  toFailure: (error: unknown) => unknown;
}

/** The cause of the failure when an answer says itself, ahead of its body, that it is longer than the bound. */
export class AnnouncedTooLong extends Error {}

/** The body as a web stream that fails once it brings more than the bound. */
export function boundBody(source: Readable, settings: BodySettings): ReadableStream<Uint8Array> {
  const { what, maxBodyBytes, headers, close, toFailure } = settings;
  const tooLong = (options?: ErrorOptions) =>
    new StepFailure("errored", `Cannot read ${what}: it is longer than ${maxBodyBytes} bytes`, options);
  if (Number(headers.get("content-length")) > maxBodyBytes) {
    source.on("error", () => {}).destroy();
    close();
    throw tooLong({ cause: new AnnouncedTooLong() });
  }
  return Readable.toWeb(
    Readable.from(counted(source, maxBodyBytes, tooLong, close, toFailure)),
  ) as ReadableStream;
}

async function* counted(
  source: Readable,
  maxBodyBytes: number,
  tooLong: () => StepFailure,
  close: () => void,
  toFailure: (error: unknown) => unknown,
) {
  let bytes = 0;
  try {
    for await (const chunk of source) {
      bytes += chunk.length;
      if (bytes > maxBodyBytes) throw tooLong();
      yield chunk;
    }
  } catch (error) {
    throw toFailure(error);
  } finally {
    close();
  }
}
