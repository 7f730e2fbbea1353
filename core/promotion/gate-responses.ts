import { UserError } from "#core/failure.ts";
import type { GateQuestion, ResponderRule } from "#core/gate.ts";
import { actorName } from "#core/promotion/actor-name.ts";
import { inputProblems } from "#core/promotion/gate-input.ts";
import type { GateResource, GateStatus, RecordedResponse } from "#core/promotion/gate-resource.ts";
import type { AnswerSource } from "#core/promotion/gate-source.ts";

/** Who responds, as the token or the login tells it. */
export interface Responder {
  user: string;
  role: string;
  /** Further roles in the project, by the names of its ServiceAccounts. */
  roles?: readonly string[];
  claims: Readonly<Record<string, unknown>>;
}

export interface Approval {
  responder: Responder;
  action: "approve" | "reject";
  message?: string;
  from?: AnswerSource;
}

export interface Submission {
  responder: Responder;
  values: Record<string, unknown>;
  from?: AnswerSource;
}

/** Whether the responder may respond at all. */
export function mayRespond({ responders }: GateQuestion, responder: Responder): boolean {
  return responders.length === 0 || matchingRules(responders, responder).length > 0;
}

/** The gate after an approval or a rejection. Throws a UserError when it does not count. */
export function nextByApproval(
  { spec, status }: GateResource,
  { responder, action, message, from }: Approval,
  now: Date,
): GateStatus {
  const question = spec.asks;
  if (question?.kind !== "approval") throw unfit(spec.step, "approvals");
  requireResponder(spec.step, question, responder);
  const { user } = responder;
  const earlier = status?.responses ?? [];
  if (action === "approve") {
    if (actorName(user) === question.excluded)
      throw refusal(spec.step, "whoever asked for a promotion may not approve it", 403);
    if (earlier.some((response) => response.user === user))
      throw refusal(spec.step, `${user} has approved it already`, 409);
  }
  const time = now.toISOString();
  const how = { ...(message ? { message } : {}), ...(from ? { from } : {}) };
  const rules = matchingRules(question.responders, responder);
  const responses: RecordedResponse[] = [...earlier, { user, action, time, ...how, rules }];
  if (action === "reject") return { state: "denied", by: user, at: time, ...how, responses };
  return missingApprovals(question, responses) === undefined
    ? { state: "released", by: user, at: time, ...how, responses }
    : { responses };
}

/** The gate with its form filled in. Throws a UserError that names every field that does not fit. */
export function nextByInput(
  { spec }: GateResource,
  { responder, values, from }: Submission,
  now: Date,
): GateStatus {
  const question = spec.asks;
  if (question?.kind !== "input") throw unfit(spec.step, "input");
  requireResponder(spec.step, question, responder);
  const problems = inputProblems(question.schema, values);
  if (problems.length > 0) throw refusal(spec.step, problems.join("; "), 400);
  const how = from ? { from } : {};
  return { state: "released", by: responder.user, at: now.toISOString(), values, ...how };
}

/** What the approvals lack; undefined when they are enough. */
function missingApprovals(
  { minApprovals, responders }: Extract<GateQuestion, { kind: "approval" }>,
  approvals: readonly RecordedResponse[],
): "approvals" | "required approver" | undefined {
  if (approvals.length < minApprovals) return "approvals";
  const isMissing = ({ required }: ResponderRule, index: number) =>
    required === true && !approvals.some(({ rules }) => rules.includes(index));
  return responders.some(isMissing) ? "required approver" : undefined;
}

/** Which of the rules, by their places, match. */
function matchingRules(
  rules: readonly ResponderRule[],
  { user, role, roles = [], claims }: Responder,
): number[] {
  const matches = (rule: ResponderRule) => {
    if (rule.user !== undefined) return rule.user === user;
    if (rule.role !== undefined) return rule.role === role || roles.includes(rule.role);
    if (rule.claim === undefined || !Object.hasOwn(claims, rule.claim)) return false;
    const claim = claims[rule.claim];
    return Array.isArray(claim) ? claim.includes(rule.value) : claim === rule.value;
  };
  return rules.flatMap((rule, index) => (matches(rule) ? [index] : []));
}

function requireResponder(step: string, question: GateQuestion, responder: Responder): void {
  if (!mayRespond(question, responder))
    throw refusal(step, `${responder.user} is not among those whom it asks`, 403);
}

function refusal(step: string, why: string, status: number): UserError {
  return new UserError(`Cannot respond to gate "${step}": ${why}`, { status });
}

function unfit(step: string, what: string): UserError {
  return refusal(step, `it does not ask for ${what}`, 400);
}
