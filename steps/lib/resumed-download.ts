import { setTimeout as sleep } from "node:timers/promises";
import { AnnouncedTooLong } from "#core/egress/body.ts";
import { StepFailure } from "#core/failure.ts";
import type { FetchOptions, StepContext } from "#core/step.ts";
import { badStatus } from "./http-request.ts";

export interface Download {
  /** For messages. */
  url: string;
  /** With the query. */
  target: string;
  headers: Headers;
  /** Of all of it, pauses included. */
  timeoutSeconds: number;
  maxBytes: number;
  insecureSkipTLSVerify: boolean;
}

/** How often in a row it goes on where it broke off without getting any further. */
const triesWithoutProgress = 5;
const firstPauseMilliseconds = 250;

/**
 * The content of a URL. A transfer that breaks off goes on where it was, as long as the server vouches by an ETag,
 * or by the time of the last change, that the content is the same. Throws StepFailures.
 */
export async function* downloaded(download: Download, ctx: StepContext): AsyncGenerator<Uint8Array> {
  const ends = Date.now() + download.timeoutSeconds * 1_000;
  const first = await ask(download, download.headers, 0, ends, ctx).catch((error: unknown) => {
    // Asking again would bring the same answer.
    const isFinal = error instanceof StepFailure && error.cause instanceof AnnouncedTooLong;
    throw isFinal ? new StepFailure("failed", error.message, { cause: error }) : error;
  });
  if (!first.ok) {
    await first.body?.cancel();
    throw badStatus(download.url, "GET", first.status);
  }
  const validator = validatorOf(first, download.headers);
  let body = first.body;
  let received = 0;
  let tries = 0;
  for (;;) {
    try {
      for await (const chunk of body ?? []) {
        received += chunk.length;
        tries = 0;
        yield chunk;
      }
      return;
    } catch (error) {
      const isBreak = error instanceof StepFailure && error.transient;
      if (!isBreak || validator === undefined || received === 0 || Date.now() >= ends) throw error;
      body = await goOn(error);
    }
  }

  async function goOn(broken: StepFailure): Promise<Response["body"]> {
    for (;;) {
      if (tries >= triesWithoutProgress) throw broken;
      await pause(firstPauseMilliseconds * 2 ** tries, ctx.signal);
      tries += 1;
      ctx.log.info(`The download broke off after ${received} bytes, going on from there`);
      const headers = new Headers(download.headers);
      headers.set("Range", `bytes=${received}-`);
      headers.set("If-Range", validator ?? "");
      const answer = await ask(download, headers, received, ends, ctx).catch((error: unknown) => {
        if (error instanceof StepFailure && error.transient && Date.now() < ends) return undefined;
        throw error;
      });
      if (answer === undefined) continue;
      if (isRest(answer, received, validator)) return answer.body;
      await answer.body?.cancel();
      const isBusy = answer.status === 429 || answer.status >= 502;
      // Anything else is another content, or a server that knows no parts: only a new beginning helps.
      if (!isBusy) throw broken;
    }
  }
}

async function ask(
  { target, timeoutSeconds: _, maxBytes, insecureSkipTLSVerify }: Download,
  headers: Headers,
  received: number,
  ends: number,
  ctx: StepContext,
): Promise<Response> {
  const options: FetchOptions = {
    headers,
    timeoutSeconds: Math.max(0, ends - Date.now()) / 1_000,
    maxBodyBytes: maxBytes - received,
    insecureSkipTLSVerify,
    signal: ctx.signal,
  };
  return await ctx.fetch(target, options);
}

/** What tells one content from another; undefined where nothing does, or parts were asked for to begin with. */
function validatorOf({ status, headers }: Response, asked: Headers): string | undefined {
  if (status !== 200 || asked.has("range") || headers.get("accept-ranges") === "none") return undefined;
  const tag = headers.get("etag");
  // A weak one tells of content that means the same, not of the same bytes.
  if (tag !== null) return tag.startsWith('"') ? tag : undefined;
  return headers.get("last-modified") ?? undefined;
}

function isRest({ status, headers }: Response, received: number, validator: string | undefined): boolean {
  const tag = headers.get("etag");
  const isSame = tag === null || !validator?.startsWith('"') || tag === validator;
  const [, from] = /^bytes (\d+)-/.exec(headers.get("content-range") ?? "") ?? [];
  return status === 206 && isSame && Number(from) === received;
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(milliseconds, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
