import type { Resource } from "#core/resources/resource.ts";
import type { ServerContext } from "#server/route.ts";

/**
 * What we keep in resources beyond what Kargo knows of them. Its clients refuse fields that they do not know, so
 * these are told only to who asks for them with `?extensions=true`.
 */
export const extensions: Readonly<Record<string, readonly string[]>> = {
  Project: ["spec"],
  Stage: ["status.freeze", "spec.promotionTemplate.spec.steps.*.forEach"],
  Promotion: ["spec.steps.*.forEach"],
  PromotionTask: ["spec.steps.*.forEach"],
  ClusterPromotionTask: ["spec.steps.*.forEach"],
  Warehouse: ["status.discovery", "status.settling"],
};

/** The resource as the caller wants to see it. */
export function presenter(c: ServerContext): (resource: Resource) => Resource {
  return c.req.query("extensions") === "true" ? (resource) => resource : withoutExtensions;
}

function withoutExtensions(resource: Resource): Resource {
  const fields = extensions[resource.kind] ?? [];
  return fields.reduce((shown, field) => without(shown, field.split(".")) as Resource, resource);
}

/** `*` stands for every item of a list. */
function without(value: unknown, [key, ...rest]: readonly string[]): unknown {
  if (key === "*" && Array.isArray(value)) return value.map((item) => without(item, rest));
  if (typeof value !== "object" || value === null || key === undefined || !Object.hasOwn(value, key))
    return value;
  const { [key]: inner, ...others } = value as Record<string, unknown>;
  return rest.length === 0 ? others : { ...others, [key]: without(inner, rest) };
}
