import { StepFailure } from "#core/failure.ts";
import type { StepContext } from "#core/step.ts";

/** The text of a file of the workspace; bytes that are no UTF-8 fail, since writing them back would harm them. */
export async function readUtf8(ctx: StepContext, path: string): Promise<string> {
  const bytes = await ctx.workspace.readBytes(path);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new StepFailure("errored", `Cannot read file "${path}": it is not UTF-8 text`, { cause: error });
  }
}

/** Changes the text of a file; failures of `edit` are told as "Cannot update file …: why". */
export async function editFile(
  ctx: StepContext,
  path: string,
  edit: (text: string) => string,
): Promise<void> {
  const before = await readUtf8(ctx, path);
  let after: string;
  try {
    after = edit(before);
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error;
    throw new StepFailure(error.kind, `Cannot update file "${path}": ${error.message}`, { cause: error });
  }
  if (after !== before) await ctx.workspace.write(path, after);
}
