import type { Masker } from "#core/credentials/masker.ts";
import type { HostFunctions } from "#core/expressions/expressions.ts";
import {
  dataFunctions,
  freightFunctions,
  type ResourceLookup,
  utilityFunctions,
} from "#core/expressions/kargo-functions.ts";
import * as natures from "#core/expressions/natures.ts";
import { aliasSeparator, splitAlias } from "#core/promotion/alias.ts";
import { hasFailures } from "#core/promotion/conditions.ts";
import type { StepFunctions } from "#core/promotion/evaluate.ts";
import { gateLinkFunction } from "#core/promotion/gate-link-function.ts";
import { type GateLinks, hiddenLinks } from "#core/promotion/gate-links.ts";
import type { PromotionRun } from "#core/promotion/run.ts";
import type { FreightReference } from "#core/resources/freight.ts";
import type { PromotionStep, StepExecutionMetadata } from "#core/resources/promotion.ts";
import { formatRef, type Resource } from "#core/resources/resource.ts";
import type { FreightRequest } from "#core/resources/stage.ts";

/** What expressions are evaluated about. */
export interface ExpressionSubject {
  project: string;
  freightRequests: readonly FreightRequest[];
  freight: readonly FreightReference[];
}

/** Kargo's functions that look things up: data, freight and utilities. Secrets are masked from then on. */
export function createLookupFunctions(
  lookup: ResourceLookup,
  masker: Pick<Masker, "add">,
): (subject: ExpressionSubject) => HostFunctions {
  return (subject) => {
    const remembered = remember(lookup);
    return {
      ...dataFunctions(remembered, { project: subject.project, mask: (secret) => masker.add(secret) }),
      ...freightFunctions(remembered, subject),
      ...utilityFunctions,
    };
  };
}

/** The functions for the steps of promotions. Without `links` no link to a gate can be made. */
export function createStepFunctions(
  lookup: ResourceLookup,
  masker: Pick<Masker, "add">,
  { links, now = () => new Date() }: { links?: GateLinks; now?: () => Date } = {},
): (run: PromotionRun, step: PromotionStep) => StepFunctions {
  const lookupFunctions = createLookupFunctions(lookup, masker);
  return (run, step) => {
    const forVars = lookupFunctions(run);
    const records = () => run.status.stepExecutionMetadata ?? [];
    const alias = step.as ?? "";
    const gateLink = gateLinkFunction(run, alias, { links: links && hiddenLinks(links, masker), now });
    return { forVars, forStep: { ...forVars, ...statusFunctions(alias, records), gateLink } };
  };
}

/** `always`, `success`, `failure` and `status`, as the step of this alias sees the steps before it. */
function statusFunctions(alias: string, records: () => readonly StepExecutionMetadata[]): HostFunctions {
  const { task } = splitAlias(alias);
  const about = (call: () => boolean) => ({
    minArgs: 0,
    maxArgs: 0,
    signatures: [natures.signature([], natures.bool)],
    call,
  });
  return {
    always: about(() => true),
    success: about(() => !hasFailures(records())),
    failure: about(() => hasFailures(records())),
    status: {
      minArgs: 1,
      maxArgs: 1,
      signatures: [natures.signature([natures.string], natures.string)],
      call([name]) {
        if (typeof name !== "string" || name === "") throw new Error("argument must not be empty");
        // Steps of a task know each other by their short names, and nobody else.
        const wanted = task === undefined ? name : `${task}${aliasSeparator}${name}`;
        return records().find((record) => record.alias === wanted)?.status ?? "";
      },
    },
  };
}

/** All expressions of one step see a resource as it was when the first of them looked. */
function remember(lookup: ResourceLookup): ResourceLookup {
  const found = new Map<string, Promise<Resource | undefined>>();
  return {
    get(ref) {
      const key = formatRef(ref);
      const known = found.get(key) ?? lookup.get(ref);
      found.set(key, known);
      return known;
    },
  };
}
