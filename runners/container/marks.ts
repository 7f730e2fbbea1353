/**
 * Runs a command for one of several steps of a container. Its streams go where those of the container's first
 * process go: into the log that the engine keeps, also while no daemon is there to read it. A line with the mark
 * stands at the beginning and at the end of the command's lines in each stream, with the command's process
 * group and its exit code. What the command left running is killed, where the shell can do so without killing
 * itself.
 */
const script = `
out=/proc/1/fd/1; err=/proc/1/fd/2; mark=$1; shift
trap : TERM
echo "$mark begin $$" >$out || exit 125
echo "$mark begin $$" >$err
"$@" >$out 2>$err </dev/null
code=$?
[ "$(command -v kill)" = kill ] && kill -s KILL -- -1 2>/dev/null
echo "$mark end $code" >$out
echo "$mark end $code" >$err
exit $code
`;

/** The arguments of an exec that runs a command so. `mark` must be one that the command cannot know of others. */
export function wrapped(argv: readonly string[], mark: string): string[] {
  return ["sh", "-c", script, "sh", mark, ...argv];
}

/** What a marked line says, and what stood before it without a line end. */
export interface Marked {
  before: string;
  says: { state: "begin" | "end"; number: number };
}

/** Reads a line of the log; undefined when it is one of the command's own. */
export function readMark(text: string, mark: string): Marked | undefined {
  const at = text.indexOf(`${mark} `);
  const [, state, number] = /^(begin|end) (\d+)$/.exec(at < 0 ? "" : text.slice(at + mark.length + 1)) ?? [];
  if (state !== "begin" && state !== "end") return undefined;
  return { before: text.slice(0, at), says: { state, number: Number(number) } };
}
