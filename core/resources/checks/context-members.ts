import { didYouMean } from "#core/nearest-name.ts";

interface Members {
  readonly [name: string]: Members;
}

const leaf: Members = {};

/** What `ctx` has, as a promotion makes it for the expressions of its steps. */
export const contextMembers: Members = {
  uiBaseUrl: leaf,
  project: leaf,
  promotion: leaf,
  stage: leaf,
  targetFreight: { name: leaf, alias: leaf, origin: { name: leaf } },
  meta: { promotion: { actor: leaf, rollback: leaf }, step: { alias: leaf } },
};

/** Says which member of `ctx` there is not, as a sentence; undefined when all are there. */
export function unknownContextMember(path: readonly string[]): string | undefined {
  let members = contextMembers;
  for (const [index, name] of path.entries()) {
    const known = Object.keys(members);
    if (known.length === 0) return undefined;
    if (!Object.hasOwn(members, name)) {
      const parent = ["ctx", ...path.slice(0, index)].join(".");
      return `${parent} has no "${name}"${didYouMean(name, known) || `; it has ${known.join(", ")}`}`;
    }
    members = members[name] ?? leaf;
  }
  return undefined;
}
