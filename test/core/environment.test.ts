import { describe, expect, it } from "vitest";
import { countFrom, millisecondsFrom } from "#core/environment.ts";

describe("a setting that is a number", () => {
  it.each([
    { text: undefined, count: 7 },
    { text: "", count: 7 },
    { text: "1", count: 1 },
    { text: "1048576", count: 1_048_576 },
  ])("$text is $count", ({ text, count }) => {
    expect(countFrom({ SOME: text }, "SOME", 7)).toBe(count);
  });

  it.each(["0", "-1", "1.5", "1e3", "many", " 1", "1".repeat(16)])("%s is refused by name", (text) => {
    expect(() => countFrom({ SOME: text }, "SOME", 7)).toThrow(
      `Cannot use SOME "${text}": expected a whole number from 1 on`,
    );
  });

  it("may be zero where that means something", () => {
    expect(countFrom({ SOME: "0" }, "SOME", 7, 0)).toBe(0);
  });
});

describe("a setting that is a duration", () => {
  it.each([
    { text: undefined, milliseconds: 7 },
    { text: "0s", milliseconds: 0 },
    { text: "1h30m", milliseconds: 5_400_000 },
  ])("$text is $milliseconds ms", ({ text, milliseconds }) => {
    expect(millisecondsFrom({ SOME: text }, "SOME", 7)).toBe(milliseconds);
  });

  it.each(["5", "-5m", "soon"])("%s is refused by name", (text) => {
    expect(() => millisecondsFrom({ SOME: text }, "SOME", 7)).toThrow(`Cannot use SOME "${text}"`);
  });
});
