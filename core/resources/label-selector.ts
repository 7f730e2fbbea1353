import { z } from "zod";

export const LabelSelectorRequirement = z.strictObject({
  key: z.string().describe("Label that the requirement looks at."),
  operator: z
    .enum(["In", "NotIn", "Exists", "DoesNotExist"])
    .describe("How the label's value is compared with `values`."),
  values: z.array(z.string()).optional().describe("Values for In and NotIn; none for the other operators."),
});
export type LabelSelectorRequirement = z.infer<typeof LabelSelectorRequirement>;

const selectorFields = {
  matchLabels: z
    .record(z.string(), z.string())
    .optional()
    .describe("Labels that must be there with exactly these values."),
  matchExpressions: z
    .array(LabelSelectorRequirement)
    .optional()
    .describe("Further requirements; all of them must hold."),
};

/** Kubernetes' label selector. An empty one matches everything. */
export const LabelSelector = z.strictObject(selectorFields);
export type LabelSelector = z.infer<typeof LabelSelector>;

/** Selects resources by name (exact, `glob:…`, `regex:…` or `regexp:…`) and by labels; all that is given must match. */
export const NameOrLabelSelector = z.strictObject({
  name: z
    .string()
    .optional()
    .describe("Exact name, or a pattern that starts with `glob:`, `regex:` or `regexp:`."),
  ...selectorFields,
});
export type NameOrLabelSelector = z.infer<typeof NameOrLabelSelector>;

/** Whether labels fulfil a selector, as Kubernetes decides it. */
export function matchesLabels(selector: LabelSelector, labels: Record<string, string> = {}): boolean {
  const pairs = Object.entries(selector.matchLabels ?? {});
  return (
    pairs.every(([key, value]) => labels[key] === value) &&
    (selector.matchExpressions ?? []).every((requirement) => fulfils(requirement, labels))
  );
}

function fulfils({ key, operator, values = [] }: LabelSelectorRequirement, labels: Record<string, string>) {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    default:
      return operator satisfies never;
  }
}
