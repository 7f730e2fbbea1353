import { isDeepStrictEqual } from "node:util";
import type { FieldError } from "#core/resources/field-error.ts";
import type { Resource } from "#core/resources/resource.ts";
import type { Secret } from "#core/resources/secret.ts";

/** Kubernetes' rules for the values of a Secret. */
export function secretErrors({ data = {} }: Secret): FieldError[] {
  return Object.entries(data)
    .filter(([, value]) => !isBase64(value))
    .map(([key]) => ({
      path: ["data", key],
      message: "the value is not base64; plain text belongs into stringData",
    }));
}

/** As Go reads it: line ends do not count. */
function isBase64(text: string): boolean {
  const digits = text.replaceAll(/[\r\n]/g, "");
  return digits.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(digits);
}

/** What is declared immutable stays as it is, in Secrets and ConfigMaps. */
export function immutableErrors(before: Secret, after: Secret): FieldError[] {
  if (!before.immutable || isDeepStrictEqual(before.data, after.data)) return [];
  return [{ path: ["data"], message: `the ${after.kind} is immutable; delete it and create it anew` }];
}

/** `stringData` is for writing only: it joins `data`, as Kubernetes does it. */
export function withPlainData<R extends Resource>(resource: R): R {
  const { stringData, data, ...rest } = resource as unknown as Secret;
  if (stringData === undefined) return resource;
  const encoded = Object.entries(stringData).map(([key, text]) => [
    key,
    Buffer.from(text, "utf8").toString("base64"),
  ]);
  return { ...rest, data: { ...data, ...Object.fromEntries(encoded) } } as unknown as R;
}
