import { createWriteStream } from "node:fs";
import { Readable, type Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { StepFailure } from "#core/failure.ts";
import { fileFailure } from "#core/file-failure.ts";
import type { StepContext } from "#core/step.ts";
import { placeFile } from "./place-file.ts";

/** Where a download goes. */
export interface DownloadTarget {
  outPath: string;
  allowOverwrite: boolean;
}

/**
 * Downloads a file, once for the step: a second run, after a crash or for another attempt, finds the one that the
 * first made. `open` gives the content, and what it goes through. Throws a StepFailure, and then nothing is there.
 */
export async function downloadFile(
  { outPath, allowOverwrite }: DownloadTarget,
  ctx: StepContext,
  open: () => Promise<[AsyncIterable<Uint8Array>, ...Transform[]]>,
): Promise<void> {
  const place = await ctx.workspace.resolve(outPath);
  await ctx.once(`download ${outPath}`, async () => {
    if (!allowOverwrite && (await ctx.workspace.exists(outPath))) {
      throw new StepFailure(
        "refused",
        `Cannot download to "${outPath}": it exists, and allowOverwrite is not set`,
      );
    }
    const [content, ...through] = await open();
    try {
      await placeFile(place, (beside) =>
        // A stream only now: one that fails before anything listens to it would end the daemon.
        pipeline([
          Readable.from(content),
          ...through,
          createWriteStream(beside, { flags: "wx", mode: 0o600 }),
        ]),
      );
    } catch (error) {
      ctx.signal.throwIfAborted();
      throw fileFailure(`Cannot download to "${outPath}"`, error);
    }
    return true;
  });
}
