import type { Resource } from "#core/resources/resource.ts";

/** A Secret's values, plain: `data` decoded, `stringData` over it. */
export function secretValues(secret: Resource): Record<string, string> {
  const { data = {}, stringData = {} } = secret as {
    data?: Record<string, string>;
    stringData?: Record<string, string>;
  };
  const decoded = Object.entries(data).map(([name, value]) => [
    name,
    Buffer.from(value, "base64").toString(),
  ]);
  return { ...Object.fromEntries(decoded), ...stringData };
}
