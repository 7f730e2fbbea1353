import type { AnsweredGate, GateAnswerByStep } from "#core/gate.ts";
import { currentPromotion, gateOf } from "#core/promotion/current-gate.ts";
import { type GateResource, isOpen } from "#core/promotion/gate-resource.ts";
import { nextByApproval } from "#core/promotion/gate-responses.ts";
import { settleGate } from "#core/promotion/gate-settle.ts";
import type { Store } from "#core/store/store.ts";

/** The step that answers. */
export interface AnsweringStep {
  project: string;
  stage: string;
  promotion: string;
  alias: string;
  /** Name of the freight that its promotion carries. */
  freight: string | undefined;
}

/**
 * Answers the gate of another stage as `stage:<name>`, which a gate that says whom it asks has to name. Done
 * again, it finds its own answer. Throws a UserError when the gate does not take it.
 */
export async function answerByStep(
  store: Store,
  own: AnsweringStep,
  { stage, step, decision, message, anyFreight }: GateAnswerByStep,
  now: Date,
): Promise<AnsweredGate> {
  const promotion = await currentPromotion(store, own.project, stage);
  if (promotion === undefined) return { state: "closed", why: `stage "${stage}" has no promotion under way` };
  if (!anyFreight && promotion.spec.freight !== own.freight)
    return { state: "closed", why: `the promotion under way to "${stage}" has other freight` };
  const gate = await gateOf(store, promotion, step);
  if (gate === undefined) return { state: "closed", why: `gate "${step}" of "${stage}" is not open yet` };

  const user = `stage:${own.stage}`;
  const from = { via: "step", step: `${own.promotion}/${own.alias}` } as const;
  const isOwn = ({ status }: GateResource) =>
    [status?.from, ...(status?.responses ?? []).map((each) => each.from)].some(
      (each) => each?.via === "step" && each.step === from.step,
    );
  if (isOwn(gate)) return { state: "answered" };
  const words = message === undefined ? {} : { message };
  const responder = { user, role: "", claims: { sub: user } };
  const action = decision === "release" ? "approve" : "reject";
  const settled = isOpen(gate)
    ? await settleGate(store, gate, now, (current) =>
        current.spec.asks === undefined
          ? {
              state: decision === "release" ? "released" : "denied",
              by: user,
              at: now.toISOString(),
              ...words,
              from,
            }
          : nextByApproval(current, { responder, action, ...words, from }, now),
      )
    : { won: false, gate };
  if (settled.won || isOwn(settled.gate)) return { state: "answered" };
  const { state = "released", by = "nobody" } = settled.gate.status ?? {};
  return { state: "decided", how: state, by };
}
