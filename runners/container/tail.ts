/** The last lines of a text, within a bound of bytes. */
export interface Tail {
  add(line: string): void;
  text(bytes: number): string;
}

export function createTail(bound: number): Tail {
  let lines: string[] = [];
  let bytes = 0;
  return {
    add(line) {
      lines.push(line);
      bytes += Buffer.byteLength(line) + 1;
      // Dropped in bunches: one line at a time would move all others each time.
      if (bytes > 2 * bound) {
        lines = last(lines, bound);
        bytes = lines.reduce((sum, kept) => sum + Buffer.byteLength(kept) + 1, 0);
      }
    },
    text: (wanted) => last(lines, Math.min(wanted, bound)).join("\n"),
  };
}

function last(lines: readonly string[], bound: number): string[] {
  let bytes = 0;
  let start = lines.length;
  while (start > 0) {
    bytes += Buffer.byteLength(lines[start - 1] ?? "") + 1;
    if (bytes > bound) break;
    start -= 1;
  }
  return lines.slice(start);
}
