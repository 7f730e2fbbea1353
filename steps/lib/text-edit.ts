/** One range of a text, in UTF-16 offsets, and what is to stand there instead. */
export interface TextEdit {
  from: number;
  to: number;
  text: string;
}

/** The text with all edits made; of several for the same place the last one counts. */
export function applyEdits(source: string, edits: readonly TextEdit[]): string {
  const byPlace = new Map(edits.map((edit) => [edit.from, edit]));
  let result = "";
  let done = 0;
  for (const { from, to, text } of [...byPlace.values()].sort((a, b) => a.from - b.from)) {
    result += source.slice(done, from) + text;
    done = to;
  }
  return result + source.slice(done);
}
