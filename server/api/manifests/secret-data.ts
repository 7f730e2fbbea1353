import type { Resource } from "#core/resources/resource.ts";
import type { Secret } from "#core/resources/secret.ts";

/** Joins `stringData` into `data`, as Kubernetes does when a Secret is written. */
export function mergeSecretData(resource: Resource): Resource {
  const { stringData = {}, ...secret } = resource as Secret;
  const data = { ...secret.data };
  for (const [key, value] of Object.entries(stringData)) data[key] = encode(value);
  return { ...secret, type: secret.type ?? "Opaque", data } as Resource;
}

export function encode(value: string): string {
  return Buffer.from(value, "utf8").toString("base64");
}

export function encodeAll(values: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, encode(value)]));
}
