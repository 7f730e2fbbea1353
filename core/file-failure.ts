import { StepFailure } from "#core/failure.ts";

const reasons: Record<string, string> = {
  ENOENT: "there is no such file",
  ENOTDIR: "a part of its path is a file and not a folder",
  EISDIR: "it is a folder",
  EACCES: "access is denied",
  ELOOP: "it is a symbolic link",
  ENOSPC: "the disk is full",
  EEXIST: "a part of its path exists and is not a folder",
};

/** A StepFailure that says in words what the file system answered. StepFailures pass through. */
export function fileFailure(what: string, error: unknown): StepFailure {
  if (error instanceof StepFailure) return error;
  const code = codeOf(error);
  const why = reasons[code] ?? (error instanceof Error ? error.message : String(error));
  return new StepFailure("errored", `${what}: ${why}`, { cause: error });
}

/** The system's code of an error (`ENOENT`); "" when it has none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
