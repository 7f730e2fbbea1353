import { describe, expect, it } from "vitest";
import { createBoundedMap } from "#core/bounded-map.ts";

describe("a bounded map", () => {
  it("forgets what was unused for longest", () => {
    const map = createBoundedMap<number>(2);
    map.set("a", 1);
    map.set("b", 2);
    map.get("a");
    map.set("c", 3);
    expect(["a", "b", "c"].map((key) => map.get(key))).toEqual([1, undefined, 3]);
  });

  it("goes by weight, also when a value is replaced", () => {
    const map = createBoundedMap<string>(10, ({ length }) => length);
    map.set("a", "1234");
    map.set("b", "1234");
    map.set("a", "12345678");
    expect(["a", "b"].map((key) => map.get(key))).toEqual(["12345678", undefined]);
    map.set("c", "12");
    expect(["a", "c"].map((key) => map.get(key))).toEqual(["12345678", "12"]);
  });

  it("keeps nothing that is too heavy by itself", () => {
    const map = createBoundedMap<string>(3, ({ length }) => length);
    map.set("a", "1234");
    expect(map.get("a")).toBeUndefined();
  });

  it("has room again for what was deleted", () => {
    const map = createBoundedMap<number>(1);
    map.set("a", 1);
    map.delete("a");
    map.delete("a");
    map.set("b", 2);
    expect(map.get("b")).toBe(2);
  });
});
