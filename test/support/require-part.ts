import { hasPart, optionalParts, type Part } from "#test/support/parts.ts";

const known = new Map<Part, Promise<boolean>>();

/**
 * Whether a part that a test needs is on this machine: `describe.skipIf(!(await requirePart("docker")))`.
 * With TOWPATH_REQUIRE=all a missing part fails the file instead, so that nothing is skipped unseen.
 */
export async function requirePart(part: Part): Promise<boolean> {
  const found = known.get(part) ?? hasPart(part);
  known.set(part, found);
  if (await found) return true;
  if (process.env.TOWPATH_REQUIRE === "all" && !optionalParts.includes(part)) {
    throw new Error(`"${part}" is missing and TOWPATH_REQUIRE=all: run test/provision.sh to install it`);
  }
  return false;
}
