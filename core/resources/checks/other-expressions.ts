import { expressionFacts, templateFacts } from "#core/resources/checks/expression-facts.ts";
import { expressionSites } from "#core/resources/checks/expression-sites.ts";
import type { Finding } from "#core/resources/checks/finding.ts";
import type { LoadedResource } from "#core/resources/load.ts";

/** Whether the expressions outside of promotion steps can be read. */
export function checkOtherExpressions(resource: LoadedResource): Finding[] {
  return expressionSites(resource.resource).flatMap(({ path, text, form }) => {
    // Argo's own placeholders, filled in before the expression is read.
    if (form === "expression" && text.includes("{{")) return [];
    const { errors } = form === "expression" ? expressionFacts(text) : templateFacts(text);
    return errors.map((message): Finding => ({ resource, severity: "error", path, message }));
  });
}
