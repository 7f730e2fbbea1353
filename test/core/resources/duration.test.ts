import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Duration, formatDuration, PlainDuration, parseDuration } from "#core/resources/duration.ts";

describe("durations as Go writes them", () => {
  it.each([
    ["0", 0, "0s"],
    ["0s", 0, "0s"],
    ["90s", 90_000, "1m30s"],
    ["5m0s", 300_000, "5m0s"],
    ["1h30m", 5_400_000, "1h30m0s"],
    ["1.5h", 5_400_000, "1h30m0s"],
    [".5s", 500, "500ms"],
    ["300ms", 300, "300ms"],
    ["1m0.25s", 60_250, "1m0.25s"],
    ["10us", 0.01, "10µs"],
    ["7ns", 0.000007, "7ns"],
    ["-2m", -120_000, "-2m0s"],
    ["+3s", 3000, "3s"],
    ["48h", 172_800_000, "48h0m0s"],
  ])("%s", (text, milliseconds, formatted) => {
    expect(parseDuration(text)).toBeCloseTo(milliseconds, 9);
    expect(formatDuration(milliseconds)).toBe(formatted);
    expect(Duration.safeParse(text).success).toBe(true);
  });

  it.each(["", "5", "5 m", "1d", "m", "h1", "1h 30m", "1e3s", ".s", "--1s"])("%j is none", (text) => {
    expect(parseDuration(text)).toBeUndefined();
    expect(Duration.safeParse(text).success).toBe(false);
  });

  it("come back from their text as they were", () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e10, max: 1e10 }), (milliseconds) => {
        expect(parseDuration(formatDuration(milliseconds))).toBeCloseTo(milliseconds, 6);
      }),
    );
  });

  it("are narrower where Kargo takes hours, minutes and seconds only", () => {
    expect(PlainDuration.safeParse("1h2.5m3s").success).toBe(true);
    expect(["300ms", "-1h", "0"].map((text) => PlainDuration.safeParse(text).success)).toEqual([
      false,
      false,
      false,
    ]);
  });
});
