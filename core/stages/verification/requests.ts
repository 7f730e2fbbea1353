import type { ObjectMeta } from "#core/resources/resource.ts";

/** What somebody wants done with one verification of a stage. */
export interface VerificationRequest {
  /** Of the verification. */
  id: string;
  /** As Kargo writes actors. */
  actor?: string;
  controlPlane?: boolean;
}

/** The request that an annotation carries: a JSON object, or the verification's id alone. */
export function verificationRequest(
  { annotations }: Pick<ObjectMeta, "annotations">,
  key: string,
): VerificationRequest | undefined {
  const value = annotations?.[key];
  if (value === undefined) return undefined;
  const { id, actor, controlPlane } = parse(value);
  if (typeof id !== "string" || id === "") return undefined;
  return {
    id,
    ...(typeof actor === "string" && actor !== "" ? { actor } : {}),
    ...(controlPlane === true ? { controlPlane } : {}),
  };
}

function parse(value: string): { [field: string]: unknown } {
  try {
    const parsed: unknown = JSON.parse(value);
    return typeof parsed === "object" && parsed !== null ? { ...parsed } : {};
  } catch {
    return { id: value };
  }
}
