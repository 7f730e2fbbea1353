import { UserError } from "#core/failure.ts";

/**
 * Bytes that oci-push may copy from one repository to another, from the variable that Kargo has for it,
 * MAX_OCI_PUSH_ARTIFACT_SIZE: 0 forbids such copies, -1 sets no limit. Undefined when it is not set.
 */
export function maxOciPushBytesFrom(env: Record<string, string | undefined>): number | undefined {
  const value = env.MAX_OCI_PUSH_ARTIFACT_SIZE;
  if (!value) return undefined;
  if (/^(-1|\d{1,15})$/.test(value)) return Number(value);
  throw new UserError(
    `Cannot use MAX_OCI_PUSH_ARTIFACT_SIZE "${value}": expected a number of bytes, or -1 for no limit`,
  );
}
