import { UserError } from "#core/failure.ts";
import type { GenericWebhookAction } from "#core/resources/webhook-receiver.ts";
import { requestScope } from "#server/webhooks/generic-scope.ts";
import { selectTargets } from "#server/webhooks/generic-targets.ts";
import type { WebhookProvider, WebhookRequest, WebhookServices } from "#server/webhooks/provider.ts";
import { refreshOne } from "#server/webhooks/refresh.ts";

/** What became of one action. */
interface ActionResult extends GenericWebhookAction {
  matchedWhenExpression: boolean;
  selectedTargets?: { namespace: string; name: string; success: boolean }[];
  result: "NotApplicable" | "Error" | "Success" | "PartialSuccess" | "Failure";
  summary: string;
}

const failures: ReadonlySet<string> = new Set(["Error", "Failure", "PartialSuccess"]);

/** Anything that can send a POST. What guards it is its path, which only who knows the secret can make. */
export const generic: WebhookProvider = {
  type: "generic",
  secretKey: "secret",
  async receive(request, services) {
    const body = parseBody(request.body);
    const results: ActionResult[] = [];
    for (const action of request.config.generic?.actions ?? []) {
      results.push(await perform(action, body, request, services));
    }
    return { status: results.some(({ result }) => failures.has(result)) ? 500 : 200, body: { results } };
  },
};

function parseBody(body: Uint8Array): unknown {
  if (body.length === 0) return null;
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch (error) {
    throw new UserError(`invalid request body: ${(error as Error).message}`, { cause: error });
  }
}

async function perform(
  action: GenericWebhookAction,
  body: unknown,
  request: WebhookRequest,
  services: WebhookServices,
): Promise<ActionResult> {
  const { expressions, log } = services;
  const scope = requestScope(request, body, action.parameters ?? {});
  const result = (rest: Omit<ActionResult, keyof GenericWebhookAction>): ActionResult => ({
    ...action,
    ...rest,
  });
  try {
    const { whenExpression } = action;
    const matched = whenExpression ? await expressions.evaluate(whenExpression, scope) : true;
    if (typeof matched !== "boolean")
      throw new Error(`whenExpression gave ${JSON.stringify(matched)}, not a boolean`);
    if (!matched) {
      const summary = "Request did not match whenExpression";
      return result({ matchedWhenExpression: false, result: "NotApplicable", summary });
    }
  } catch (error) {
    log.error("Cannot evaluate the whenExpression of a webhook receiver", {
      error,
      receiver: request.config.name,
    });
    const summary = "Error evaluating whenExpression";
    return result({ matchedWhenExpression: false, result: "Error", summary });
  }
  try {
    const targets = await selectTargets(
      services,
      request.project,
      action.targetSelectionCriteria ?? [],
      scope,
    );
    const selectedTargets = await Promise.all(
      targets.map(async (target) => ({
        namespace: target.metadata.namespace ?? "",
        name: target.metadata.name,
        success: await refreshOne(services, target),
      })),
    );
    return result({ matchedWhenExpression: true, ...summarize(selectedTargets) });
  } catch (error) {
    log.error("Cannot select the targets of a webhook receiver", { error, receiver: request.config.name });
    const summary = "Error evaluating targetSelectionCriteria";
    return result({ matchedWhenExpression: true, result: "Error", summary });
  }
}

function summarize(selectedTargets: { namespace: string; name: string; success: boolean }[]) {
  const refreshed = selectedTargets.filter(({ success }) => success).length;
  const summary = `Refreshed ${refreshed} of ${selectedTargets.length} selected resources`;
  const result: ActionResult["result"] =
    refreshed === selectedTargets.length ? "Success" : refreshed === 0 ? "Failure" : "PartialSuccess";
  return { ...(selectedTargets.length > 0 ? { selectedTargets } : {}), result, summary };
}
