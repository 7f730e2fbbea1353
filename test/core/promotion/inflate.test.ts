import { describe, expect, it } from "vitest";
import { inflateSteps, type TaskSpec } from "#core/promotion/inflate.ts";

const tasks: Record<string, TaskSpec> = {
  "PromotionTask/release": {
    vars: [
      { name: "repo", value: "" },
      { name: "branch", value: "main" },
    ],
    steps: [
      { uses: "git-clone", as: "clone", config: { repoURL: "${{ vars.repo }}" } },
      { uses: "git-push", vars: [{ name: "branch", value: "own" }] },
    ],
  },
  "ClusterPromotionTask/notify": { steps: [{ uses: "http" }] },
};
const findTask = async (kind: string, name: string) => tasks[`${kind}/${name}`];
const release = { name: "release" };
const repo = { name: "repo", value: "https://example.com/r.git" };

describe("inflating the steps of a promotion", () => {
  it("names every step by what its author says or by its place", async () => {
    const steps = await inflateSteps(
      [{ uses: "copy" }, { uses: "copy", as: "mine" }, { uses: "copy" }],
      [],
      findTask,
    );
    expect(steps.map((step) => step.as)).toEqual(["step-1", "mine", "step-3"]);
  });

  it("puts a task's steps in its place, under the task's alias", async () => {
    const steps = await inflateSteps(
      [
        { uses: "copy" },
        { task: release, vars: [repo] },
        { task: { name: "notify", kind: "ClusterPromotionTask" }, as: "tell" },
      ],
      [],
      findTask,
    );
    expect(steps.map((step) => [step.uses, step.as])).toEqual([
      ["copy", "step-1"],
      ["git-clone", "task-2::clone"],
      ["git-push", "task-2::step-2"],
      ["http", "tell::step-1"],
    ]);
    expect(steps.every((step) => step.task === undefined)).toBe(true);
  });

  it.each([
    {
      title: "defaults come first, so that what the referring step says wins",
      promotionVars: [],
      stepVars: [repo, { name: "branch", value: "next" }],
      gives: [{ name: "branch", value: "main" }, repo, { name: "branch", value: "next" }],
    },
    {
      title: "a variable of the promotion hides no default behind it and satisfies what is required",
      promotionVars: [repo, { name: "branch", value: "next" }],
      stepVars: [],
      gives: [],
    },
    {
      title: "an empty variable of the promotion counts as absent",
      promotionVars: [{ name: "branch", value: "" }],
      stepVars: [repo],
      gives: [{ name: "branch", value: "main" }, repo],
    },
  ])("$title", async ({ promotionVars, stepVars, gives }) => {
    const [clone] = await inflateSteps([{ task: release, vars: stepVars }], promotionVars, findTask);
    expect(clone?.vars).toEqual(gives);
  });

  it("keeps a task step's own variables last", async () => {
    const [, push] = await inflateSteps([{ task: release, vars: [repo] }], [], findTask);
    expect(push?.vars).toEqual([{ name: "branch", value: "main" }, repo, { name: "branch", value: "own" }]);
  });

  it("leaves the task as it was", async () => {
    const before = structuredClone(tasks);
    await inflateSteps([{ task: release, vars: [repo] }], [], findTask);
    expect(tasks).toEqual(before);
  });

  it.each([
    { step: { task: release }, says: /"release" \("task-1"\).*missing value for variable "repo"/ },
    {
      step: { task: release, vars: [{ name: "repo", value: "" }] },
      says: /missing value for variable "repo"/,
    },
    { step: { task: { name: "gone" } }, says: /PromotionTask "gone" not found/ },
    { step: { task: { name: "x", kind: "Job" } }, says: /unknown task reference kind "Job"/ },
  ])("refuses $step", async ({ step, says }) => {
    await expect(inflateSteps([step as never], [], findTask)).rejects.toThrow(says);
  });
});
