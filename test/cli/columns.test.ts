import { describe, expect, it } from "vitest";
import { resourceTable } from "#cli/columns.ts";
import type { Resource } from "#core/resources/resource.ts";

const ready = { type: "Ready", status: "True" };
const frozen = { type: "Frozen", status: "True" };

describe("the status of a stage in the table", () => {
  it.each([
    { status: { conditions: [ready] }, shows: "Ready" },
    { status: { conditions: [ready, { ...frozen, status: "False" }] }, shows: "Ready" },
    { status: { conditions: [ready, frozen] }, shows: "Ready,Frozen" },
    {
      status: { conditions: [ready, frozen], promotionWindowStatus: { closed: true } },
      shows: "Ready,Frozen,WindowClosed",
    },
    {
      status: {
        conditions: [{ type: "Ready", status: "False", reason: "NoFreight" }],
        promotionWindowStatus: { closed: true },
      },
      shows: "NoFreight,WindowClosed",
    },
    { status: undefined, shows: "" },
  ])("is $shows", ({ status, shows }) => {
    const stage = { kind: "Stage", metadata: { name: "prod" }, status } as unknown as Resource;
    const [header = "", row = ""] = resourceTable([stage], new Date()).split("\n");
    const at = header.indexOf("STATUS");
    expect(row.slice(at, header.indexOf("AGE")).trim()).toBe(shows);
  });
});
