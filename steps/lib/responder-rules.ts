import { z } from "zod";

const claim = z.string().min(1).describe("Name of a claim of whoever responds, such as `groups` or `email`.");
const value = z.string().min(1).describe("What the claim must be, or, when it is a list, contain.");
const role = z.string().min(1).describe("Name of a role that whoever responds must have.");

const eitherOr = "set either claim and value, or role";

/** Rules that say who may respond: each a claim and its value, or a role. */
export const responderRule = z
  .strictObject({ claim: claim.optional(), value: value.optional(), role: role.optional() })
  .refine(isEitherOr, eitherOr);

/** The same for approvals, of which some may be required. */
export const approverRule = z
  .strictObject({
    claim: claim.optional(),
    value: value.optional(),
    role: role.optional(),
    required: z
      .boolean()
      .default(false)
      .describe("Nothing is approved before somebody who matches this rule has approved."),
  })
  .refine(isEitherOr, eitherOr);

/** The same for gates, whose rules may name a person, too. */
export const allowRule = z
  .strictObject({
    user: z
      .string()
      .min(1)
      .optional()
      .describe("Who it is: `admin`, `email:jo@example.com`, `token:shop/ci`, `stage:checks`, `link:NAME`."),
    claim: claim.optional(),
    value: value.optional(),
    role: role.optional(),
  })
  .refine(
    ({ user, ...rule }) => (user === undefined ? isEitherOr(rule) : Object.keys(rule).length === 0),
    "set either user, or claim and value, or role",
  );

function isEitherOr(rule: { claim?: string; value?: string; role?: string }): boolean {
  const hasClaim = rule.claim !== undefined && rule.value !== undefined;
  const hasPart = rule.claim !== undefined || rule.value !== undefined;
  return rule.role === undefined ? hasClaim : !hasPart;
}
