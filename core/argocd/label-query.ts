import { StepFailure } from "#core/failure.ts";
import type { LabelSelector, LabelSelectorRequirement } from "#core/resources/label-selector.ts";

const namePattern = /^[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?$/;
const prefixPattern = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/;

/**
 * A label selector as Kubernetes' APIs take it in a query. Keys and values are held to the rules for labels, so
 * that none can bring a requirement of its own. Throws a StepFailure for what breaks them.
 */
export function toLabelQuery({ matchLabels = {}, matchExpressions = [] }: LabelSelector): string {
  const equal = Object.entries(matchLabels).map(
    ([key, value]) => `${checkedKey(key)}=${checkedValue(value)}`,
  );
  return [...equal, ...matchExpressions.map(requirement)].join(",");
}

function requirement({ key, operator, values = [] }: LabelSelectorRequirement): string {
  const name = checkedKey(key);
  const takesValues = operator === "In" || operator === "NotIn";
  if (takesValues !== values.length > 0) {
    throw refusal(`"${key}" with ${operator} must ${takesValues ? "have values" : "have no values"}`);
  }
  const list = values.map(checkedValue).join(",");
  switch (operator) {
    case "In":
      return `${name} in (${list})`;
    case "NotIn":
      return `${name} notin (${list})`;
    case "Exists":
      return name;
    case "DoesNotExist":
      return `!${name}`;
    default:
      return operator satisfies never;
  }
}

function checkedKey(key: string): string {
  const [name = "", prefix, ...more] = key.split("/").reverse();
  const isKey = namePattern.test(name) && more.length === 0;
  if (isKey && (prefix === undefined || (prefix.length <= 253 && prefixPattern.test(prefix)))) return key;
  throw refusal(`"${key}" is no key of a label`);
}

function checkedValue(value: string): string {
  if (value === "" || namePattern.test(value)) return value;
  throw refusal(`"${value}" is no value of a label`);
}

function refusal(why: string): StepFailure {
  return new StepFailure("errored", `Cannot select Argo CD Applications by label: ${why}`);
}
