import { Readable } from "node:stream";
import type { Container } from "dockerode";
import { describe, expect, it } from "vitest";
import { followLog } from "#runners/container/follow.ts";
import { recordingIO } from "#test/support/containers.ts";

/** As the engine sends it: a header of eight bytes, and a time before each piece. */
function frame(at: string, text: string): Buffer {
  const payload = Buffer.from(`${at} ${text}`);
  const header = Buffer.alloc(8);
  header[0] = 1;
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

describe("the log of a container that has ended", () => {
  const at = "2030-01-02T03:04:05.000000006Z";
  const piece = "x".repeat(16 * 1024);
  const long = Array.from({ length: 9 }, () => frame(at, piece));

  it.each([0, 1, 4, 7, 9])(
    "is whole where the engine broke off after %i pieces of a last line",
    async (sent) => {
      const whole = [frame("2030-01-02T03:04:04.5Z", "first\n"), ...long];
      const answers = [whole.slice(0, sent + 1), whole];
      const container = { logs: async () => Readable.from(answers.shift() ?? []) } as unknown as Container;
      const { signal } = new AbortController();
      const followed = await followLog(container, recordingIO(), signal, { logged: {}, keep: "stdout" });
      expect(followed.output() === `first\n${piece.repeat(9)}`).toBe(true);
    },
  );
});
