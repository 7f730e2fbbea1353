import { describe, expect, it } from "vitest";
import { parseKeyValue } from "#runners/container/key-value.ts";

describe("KeyValue output", () => {
  it.each([
    { text: "a=1\nb=2", gives: { a: "1", b: "2" }, name: "one value a line" },
    { text: 'a="1"', gives: { a: '"1"' }, name: "quotes stay" },
    { text: "a=b=c", gives: { a: "b=c" }, name: "the first equals sign parts" },
    { text: "noise\na=1\n", gives: { a: "1" }, name: "a line without one is passed over" },
    { text: "a=1\r\nb=2\r\n", gives: { a: "1", b: "2" }, name: "Windows' line ends" },
    { text: "a=", gives: { a: "" }, name: "an empty value" },
    { text: "a=1\na=2", gives: { a: "2" }, name: "the last one counts" },
    { text: "a<<END\none\ntwo=2\nEND\nb=3", gives: { a: "one\ntwo=2", b: "3" }, name: "a heredoc" },
    { text: "a<<END\nEND", gives: { a: "" }, name: "an empty heredoc" },
    { text: "a=x<<y", gives: { a: "x<<y" }, name: "two less-than signs within a value" },
    { text: "", gives: {}, name: "nothing" },
  ])("$name", ({ text, gives }) => {
    expect(parseKeyValue(text)).toEqual(gives);
  });

  it("refuses a heredoc that nothing ends", () => {
    expect(() => parseKeyValue("a<<END\none")).toThrow('the line "END" that ends it is missing');
  });
});
