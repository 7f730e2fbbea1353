import type { Path } from "#core/resources/path.ts";

/**
 * The resources that a document holds: itself, or the items of a Kubernetes list (`kind: List`, or
 * `kind: StageList` and its like, whose items need not repeat what the list says).
 */
export function listItems(value: unknown): { base: Path; value: unknown }[] {
  if (!isList(value)) return [{ base: [], value }];
  const { kind, apiVersion, items } = value;
  const itemType = kind === "List" ? {} : { apiVersion, kind: kind.slice(0, -"List".length) };
  return items.map((item, index) => ({
    base: ["items", index],
    value: isObject(item) ? { ...itemType, ...item } : item,
  }));
}

function isList(value: unknown): value is { kind: string; apiVersion?: string; items: unknown[] } {
  return (
    isObject(value) &&
    typeof value.kind === "string" &&
    value.kind.endsWith("List") &&
    Array.isArray(value.items)
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
