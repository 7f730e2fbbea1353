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

/** Of what kind of connection a Secret tells. */
export const connectionLabel = "towpath.dev/connection";

/**
 * The values that are to be kept out of what people read. Switches are none of them, nor is what a connection's
 * Secret tells beside its token: masking these would blot out ordinary words.
 */
export function confidentialValues(secret: Resource): string[] {
  const isConnection = secret.metadata.labels?.[connectionLabel] !== undefined;
  return Object.entries(secretValues(secret)).flatMap(([key, value]) => {
    const isOpen = ["true", "false"].includes(value) || (isConnection && key !== "token");
    return isOpen ? [] : value;
  });
}
