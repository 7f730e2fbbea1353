import { constants } from "node:fs";
import { chmod, mkdir, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { StepFailure } from "#core/failure.ts";
import type { Invocation } from "#core/runner.ts";
import type { Outcome } from "#core/step.ts";

/** What a command may write to its output file before it counts as an error. */
const longestOutputBytes = 8 * 2 ** 20;

/** The folder, outside of the workspace, that holds the output file of one attempt. */
export interface OutputFolder {
  name: string;
  path: string;
  /** What the command wrote; "" when it wrote nothing. */
  read(): Promise<string>;
  /**
   * Keeps what came of the attempt, next to the folder and out of the container's reach: a daemon that dies
   * before the promotion's status tells it finds it here, and does not run the command again.
   */
  keepOutcome(outcome: Outcome): Promise<void>;
  keptOutcome(): Promise<Outcome | undefined>;
  /** Keeps, at the same place, where the attempt can be found while it runs. */
  keepTrace(trace: object): Promise<void>;
  keptTrace<T>(): Promise<T | undefined>;
  /** Removes the folder; the outcome stays until the promotion is over. */
  remove(): Promise<void>;
}

/**
 * Names the folder of an invocation under `root`, the same before and after a restart of the daemon. With
 * `within` it lies in that folder of the promotion, which a container has that several steps share.
 */
export function outputFolder(root: string, invocation: Invocation, within = ""): OutputFolder {
  const { promotionUid, alias, attempt } = invocation;
  const name = `${Buffer.from(alias).toString("hex")}-${attempt}`;
  const kept = join(root, promotionUid, name);
  const path = join(root, promotionUid, within, name);
  return {
    name,
    path,
    read: () => readBounded(join(path, "output"), "the file that $KARGO_OUTPUT names"),
    async keepOutcome(outcome) {
      await replaceFile(`${kept}.json`, outcome);
    },
    keptOutcome: () => readJson<Outcome>(`${kept}.json`),
    keepTrace: (trace) => replaceFile(`${kept}.trace`, trace),
    keptTrace: () => readJson(`${kept}.trace`),
    remove: () => rm(path, { recursive: true, force: true }),
  };
}

/** Written whole or not at all. */
async function replaceFile(path: string, content: object): Promise<void> {
  await writeFile(`${path}.part`, JSON.stringify(content), { mode: 0o600 });
  await rename(`${path}.part`, path);
}

async function readJson<T>(path: string): Promise<T | undefined> {
  const text = await readFile(path, "utf8").catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as T);
}

/** Makes the folder, an empty output file that any user of the container can write to, and files to be read. */
export async function prepareOutputFolder(
  { path }: OutputFolder,
  files: Readonly<Record<string, string>> = {},
): Promise<void> {
  await mkdir(path, { recursive: true });
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(path, name), text);
    await chmod(join(path, name), 0o644);
  }
  const file = await open(join(path, "output"), "w");
  await file.chmod(0o666);
  await file.close();
  // Only the file is theirs: the folder stays ours, so that no link can take the file's place.
  await chmod(path, 0o755);
}

/** Reads a regular file that a container may have put there: no link is followed, no more is read than allowed. */
export async function readBounded(path: string, what: string): Promise<string> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    (cause) => {
      throw new StepFailure(
        "errored",
        `Cannot read the step's output: ${what} cannot be opened (${cause.code})`,
        { cause },
      );
    },
  );
  try {
    const stat = await file.stat();
    if (!stat.isFile())
      throw new StepFailure("refused", `Cannot read the step's output: ${what} is no regular file`);
    if (stat.size > longestOutputBytes) {
      throw new StepFailure(
        "refused",
        `Cannot read the step's output: ${what} has ${stat.size} bytes, more than the ${longestOutputBytes} allowed`,
      );
    }
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}
