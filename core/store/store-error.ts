import { UserError } from "#core/failure.ts";

/** Why the store as a whole cannot do its work. */
export type StoreProblem = "locked" | "corrupt" | "newer" | "foreign" | "wrong key" | "full" | "unreadable";

/** Thrown when nothing about the request was wrong but the place where the store keeps its data. */
export class StoreError extends UserError {
  readonly problem: StoreProblem;

  constructor(problem: StoreProblem, message: string, options: ErrorOptions & { hint?: string } = {}) {
    super(message, { ...options, status: problem === "full" ? 507 : 500 });
    this.name = "StoreError";
    this.problem = problem;
  }
}

/** SQLite's primary result codes that say something about the file rather than about the statement. */
const codes = { busy: 5, ioError: 10, readOnly: 8, corrupt: 11, full: 13, cannotOpen: 14, notADatabase: 26 };

/** SQLite's primary result code behind a thrown value. */
export function sqliteCode(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error) || !("errcode" in thrown)) return undefined;
  return typeof thrown.errcode === "number" ? thrown.errcode & 0xff : undefined;
}

export function isBusy(thrown: unknown): boolean {
  return sqliteCode(thrown) === codes.busy;
}

/** What a thrown value means to the one who runs the daemon; other errors are returned as they are. */
export function toStoreError(thrown: unknown, file: string): unknown {
  const options = (hint: string) => ({ cause: thrown, hint });
  switch (sqliteCode(thrown)) {
    case codes.full:
      return new StoreError(
        "full",
        `Cannot write to the store "${file}": the disk is full; nothing was changed`,
        options("Free some space; the daemon goes on by itself"),
      );
    case codes.corrupt:
    case codes.notADatabase:
      return new StoreError(
        "corrupt",
        `Cannot read the store "${file}": it is damaged, and was left as it is`,
        options("Put a backup in its place, or move it away to start with an empty store"),
      );
    case codes.readOnly:
    case codes.cannotOpen:
    case codes.ioError:
      return new StoreError(
        "unreadable",
        `Cannot use the store "${file}": ${(thrown as Error).message}`,
        options("Check that the folder exists and that the daemon may write to it"),
      );
    default:
      return thrown;
  }
}
