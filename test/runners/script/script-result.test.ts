import { describe, expect, it } from "vitest";
import { outcomeOf } from "#runners/script/script-result.ts";

const advice = "give the step a `network` that the operator allows";
const outcome = (thrown: string, isBehindProxy: boolean) => () =>
  outcomeOf({ thrown }, { workspace: "/workspace", isBehindProxy });

describe("what a script threw", () => {
  it.each([
    "Error: failed to lookup address information: Temporary failure in name resolution",
    "Error: getaddrinfo ENOTFOUND db",
    "Error: getaddrinfo EAI_AGAIN db",
    "Error: Network is unreachable (os error 101)",
    "Error: connect ENETUNREACH 10.1.2.3:5432",
  ])("is told with what would help only where there is a proxy and nothing else: %s", (thrown) => {
    expect(outcome(thrown, true)).toThrow(advice);
    expect(outcome(thrown, false)).toThrow(thrown);
    expect(outcome(thrown, false)).not.toThrow(advice);
  });

  it("is left alone when it is of something else", () => {
    expect(outcome("TypeError: a is undefined", true)).not.toThrow(advice);
  });
});
