import { expect, it } from "vitest";
import { type ContextSource, promotionContext } from "#core/promotion/invocation.ts";
import { contextMembers, unknownContextMember } from "#core/resources/checks/context-members.ts";

const source: ContextSource = {
  project: "",
  stage: "",
  promotion: "",
  actor: "",
  rollback: false,
  uiBaseUrl: "",
  targetFreight: undefined,
  targetFreightAlias: "",
};

const shapeOf = (value: unknown): unknown =>
  typeof value === "object" && value !== null
    ? Object.fromEntries(Object.entries(value).map(([name, member]) => [name, shapeOf(member)]))
    : {};

it("knows the members that a promotion gives ctx, and no others", () => {
  expect(contextMembers).toEqual(shapeOf(promotionContext(source, "").ctx));
});

it("says nothing of what stands below a plain value", () => {
  expect(unknownContextMember(["stage", "length"])).toBeUndefined();
  expect(unknownContextMember(["meta", "step", "alias"])).toBeUndefined();
});
