import { describe, expect, it } from "vitest";
import { newestVersionFirst, parseVersion } from "#core/artifacts/version.ts";
import { parseVersionConstraint } from "#core/artifacts/version-constraint.ts";

function version(text: string) {
  const parsed = parseVersion(text);
  if (parsed === undefined) throw new Error(`"${text}" is no version`);
  return parsed;
}

const words = (list: string) => list.split(" ").filter((word) => word !== "");

describe("a version constraint", () => {
  it.each([
    { constraint: "^1.2.3", allows: "1.2.3 1.9.0", refuses: "1.2.2 2.0.0 1.3.0-rc.1" },
    { constraint: "^1.2", allows: "1.2.0 1.9.9", refuses: "1.1.9 2.0.0" },
    { constraint: "^1", allows: "1.0.0 1.9.9", refuses: "0.9.0 2.0.0" },
    { constraint: "^0.2.3", allows: "0.2.3 0.2.9", refuses: "0.2.2 0.3.0 1.2.3" },
    { constraint: "^0.2", allows: "0.2.0 0.2.9", refuses: "0.3.0" },
    { constraint: "^0.0.3", allows: "0.0.3", refuses: "0.0.2 0.0.4" },
    { constraint: "^0.0", allows: "0.0.0 0.0.9", refuses: "0.1.0" },
    { constraint: "^0", allows: "0.0.0 0.9.9", refuses: "1.0.0" },
    { constraint: "~1.2.3", allows: "1.2.3 1.2.9", refuses: "1.2.2 1.3.0" },
    { constraint: "~1.2", allows: "1.2.0 1.2.9", refuses: "1.3.0" },
    { constraint: "~1", allows: "1.0.0 1.9.0", refuses: "2.0.0 0.9.0" },
    { constraint: "~>1.2.3", allows: "1.2.9", refuses: "1.3.0" },
    { constraint: "~0.0.0", allows: "0.0.0 7.1.0", refuses: "" },
    { constraint: "1.2.3", allows: "1.2.3 v1.2.3", refuses: "1.2.4" },
    { constraint: "=1.2", allows: "1.2.0 1.2.7", refuses: "1.3.0" },
    { constraint: "1.x", allows: "1.0.0 1.9.9", refuses: "2.0.0" },
    { constraint: "1.2.X", allows: "1.2.9", refuses: "1.3.0" },
    { constraint: "*", allows: "0.0.1 9.9.9", refuses: "1.0.0-rc.1" },
    { constraint: "!=1.2.3", allows: "1.2.4", refuses: "1.2.3" },
    { constraint: "!=1.2", allows: "1.3.0 2.2.0", refuses: "1.2.0 1.2.9" },
    { constraint: "!=1", allows: "2.0.0", refuses: "1.9.9" },
    { constraint: ">11", allows: "12.0.0", refuses: "11.9.9" },
    { constraint: ">11.1", allows: "11.2.0", refuses: "11.1.9" },
    { constraint: "<=11", allows: "11.9.9 10.0.0", refuses: "12.0.0" },
    { constraint: "<=11.1", allows: "11.1.9", refuses: "11.2.0" },
    { constraint: "=<1.2.3", allows: "1.2.3", refuses: "1.2.4" },
    { constraint: "=>1.2.3", allows: "1.2.3", refuses: "1.2.2" },
    { constraint: "<2", allows: "1.9.9", refuses: "2.0.0 2.0.1" },
    { constraint: ">=1.2, <1.5", allows: "1.2.0 1.4.9", refuses: "1.5.0" },
    { constraint: ">=1.2 <1.5 !=1.3.1", allows: "1.3.0", refuses: "1.3.1" },
    { constraint: "1.2 - 1.4", allows: "1.2.0 1.4.9", refuses: "1.5.0" },
    { constraint: "1.2.3 - 1.4.5", allows: "1.4.5", refuses: "1.4.6" },
    { constraint: "<1 || >=3", allows: "0.9.0 3.0.0", refuses: "1.0.0 2.0.0" },
    { constraint: ">=1.2.3-0", allows: "1.2.3-rc.1 1.3.0-alpha 2.0.0", refuses: "1.2.2" },
    { constraint: "^1.2.0-rc.1", allows: "1.2.0-rc.2 1.2.0", refuses: "1.2.0-beta.9 1.2.0-rc.0" },
    { constraint: ">=2.0.0-0 || <1", allows: "2.1.0-rc.1 0.5.0", refuses: "0.5.0-rc.1" },
    { constraint: "v1.2.3+build", allows: "1.2.3 1.2.3+other", refuses: "1.2.4" },
  ])("$constraint", ({ constraint, allows, refuses }) => {
    const parsed = parseVersionConstraint(constraint);
    for (const text of words(allows)) expect([text, parsed.allows(version(text))]).toEqual([text, true]);
    for (const text of words(refuses)) expect([text, parsed.allows(version(text))]).toEqual([text, false]);
  });

  it.each(["", " ", "latest", "==1.2", "1.2 || ", ">= ", "1.2-", "^1.2,,2", "1.2.3.4", "9".repeat(600)])(
    "refuses to read %j",
    (constraint) => {
      expect(() => parseVersionConstraint(constraint)).toThrow(/constraint/);
    },
  );

  it("is read in no time when made to be ambiguous", () => {
    expect(() => parseVersionConstraint(`${"1    ".repeat(90)}!`)).toThrow("improper constraint");
  });

  it("says why it refuses a version", () => {
    const constraint = parseVersionConstraint("^1.2");
    expect(constraint.refusal(version("2.0.0"))).toBe('does not satisfy the constraint "^1.2"');
    expect(constraint.refusal(version("1.3.0-rc.1"))).toContain("asks for releases only");
  });
});

describe("reading a version", () => {
  it.each([
    { text: "1", strict: false, valid: true },
    { text: "1", strict: true, valid: false },
    { text: "1.2", strict: true, valid: false },
    { text: "1.2.3", strict: true, valid: true },
    { text: "v1.2.3", strict: true, valid: true },
    { text: "01.2.3", strict: false, valid: true },
    { text: "01.2.3", strict: true, valid: false },
    { text: "1.2.3-01", strict: false, valid: false },
    { text: "1.2.3-rc..1", strict: false, valid: false },
    { text: "1.2.3.4", strict: false, valid: false },
    { text: "V1.2.3", strict: false, valid: false },
    { text: "latest", strict: false, valid: false },
    { text: "99999999999999999999.0.0", strict: false, valid: false },
    { text: "18446744073709551615.0.0", strict: true, valid: true },
  ])("$text is valid: $valid (strict: $strict)", ({ text, strict, valid }) => {
    expect(parseVersion(text, { strict }) !== undefined).toBe(valid);
  });
});

describe("the order of versions", () => {
  it("puts the newest first, and breaks ties by the text", () => {
    const newestFirst = words(
      "2.0.0 1.10.0 1.9.0 1.0.0+b 1.0.0 1.0 1.0.0-rc.1 1.0.0-beta.11 1.0.0-beta.2 1.0.0-beta 1.0.0-alpha.beta 1.0.0-alpha.1 1.0.0-alpha",
    );
    const shuffled = [...newestFirst].reverse().map(version);
    expect(shuffled.sort(newestVersionFirst).map(({ original }) => original)).toEqual(newestFirst);
  });
});
