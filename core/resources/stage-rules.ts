import type { FieldError } from "#core/resources/field-error.ts";
import { originKey } from "#core/resources/freight.ts";
import type { FreightRequest, Stage } from "#core/resources/stage.ts";
import { stepErrors } from "#core/resources/step-rules.ts";

/** Kargo's rules for a Stage. */
export function stageErrors({ spec }: Stage): FieldError[] {
  return [
    ...repeatedOrigins(spec.requestedFreight),
    ...spec.requestedFreight.flatMap(selectionPolicyErrors),
    ...stepErrors(spec.promotionTemplate?.spec.steps ?? [], "template", [
      "spec",
      "promotionTemplate",
      "spec",
      "steps",
    ]),
  ];
}

function repeatedOrigins(requests: readonly FreightRequest[]): FieldError[] {
  const seen = new Set<string>();
  return requests.flatMap(({ origin }, index) => {
    const key = originKey(origin);
    const repeated = seen.has(key);
    seen.add(key);
    const message = `freight of ${key} is requested twice`;
    return repeated ? [{ path: ["spec", "requestedFreight", index, "origin"], message }] : [];
  });
}

function selectionPolicyErrors({ sources }: FreightRequest, index: number): FieldError[] {
  if (sources.autoPromotionOptions?.selectionPolicy !== "MatchUpstream") return [];
  const path = ["spec", "requestedFreight", index, "sources", "autoPromotionOptions", "selectionPolicy"];
  const errors: FieldError[] = [];
  if (sources.direct) errors.push({ path, message: "MatchUpstream does not go with direct sources" });
  if (sources.stages?.length !== 1)
    errors.push({ path, message: "MatchUpstream needs exactly one upstream stage" });
  return errors;
}
