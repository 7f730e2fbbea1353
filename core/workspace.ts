/**
 * A promotion's working directory, as steps see it. Every path is relative to `root` (a leading `/` means
 * `root` too) and is followed through symbolic links before it is used: what would end outside of `root`
 * is refused with a StepFailure of kind "refused" that says what and why.
 */
export interface Workspace {
  /** Absolute path of the directory, free of symbolic links. */
  readonly root: string;
  /** The absolute path behind `path`, which need not exist yet. */
  resolve(path: string): Promise<string>;
  readText(path: string): Promise<string>;
  readBytes(path: string): Promise<Uint8Array>;
  /**
   * Creates missing folders. Replaces the file behind the path as a whole: a reader never sees half of it,
   * and other names that the file has (hard links) keep the old content.
   */
  write(path: string, content: string | Uint8Array): Promise<void>;
  exists(path: string): Promise<boolean>;
}
