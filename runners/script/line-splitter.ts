import { StringDecoder } from "node:string_decoder";

/** A line longer than this is cut into pieces, so that one line cannot fill the memory. */
const longestLine = 64 * 1024;

/** Makes lines of the chunks that a stream brings. */
export function createLineSplitter(onLine: (text: string) => void) {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  return {
    write(chunk: Buffer): void {
      const lines = (rest + decoder.write(chunk)).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) onLine(line.replace(/\r$/, ""));
      if (rest.length <= longestLine) return;
      onLine(rest);
      rest = "";
    },
    end(): void {
      rest += decoder.end();
      if (rest !== "") onLine(rest);
      rest = "";
    },
  };
}
