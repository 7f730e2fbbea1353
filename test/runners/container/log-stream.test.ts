import { describe, expect, it } from "vitest";
import { readLogLines } from "#runners/container/log-stream.ts";

const time = "2030-01-02T03:04:05.000000001Z";

function frame(stream: 1 | 2, text: string): Buffer {
  const payload = Buffer.from(text);
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

async function linesOf(...chunks: Buffer[]) {
  async function* source() {
    yield* chunks;
  }
  return Array.fromAsync(readLogLines(source()));
}

describe("the engine's log stream", () => {
  it("gives lines with time and stream", async () => {
    expect(await linesOf(frame(1, `${time} out\n`), frame(2, `${time} err\n`))).toEqual([
      { at: time, stream: "stdout", text: "out", cut: false },
      { at: time, stream: "stderr", text: "err", cut: false },
    ]);
  });

  it("joins frames, characters and lines that were cut anywhere", async () => {
    const whole = Buffer.concat([
      ...[frame(1, `${time} grün\n`), frame(1, `${time} \n`)],
      ...[frame(1, `${time} thr`), frame(1, `${time} ee`)],
    ]);
    for (let cut = 1; cut < whole.length; cut++) {
      const lines = await linesOf(whole.subarray(0, cut), whole.subarray(cut));
      expect(lines.map(({ text }) => text)).toEqual(["grün", "", "three"]);
    }
  });

  it("cuts a line without end into pieces", async () => {
    const lines = await linesOf(frame(1, `${time} ${"x".repeat(100_000)}`), frame(1, "x".repeat(100_000)));
    expect(lines.length).toBeGreaterThan(1);
    expect(lines.map(({ text }) => text).join("")).toHaveLength(200_000);
  });
});
