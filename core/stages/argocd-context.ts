import type { Promotion } from "#core/resources/promotion.ts";
import { keys } from "#core/stages/keys.ts";
import type { StagePass } from "#core/stages/pass.ts";

/** Steps that put out the Applications they dealt with, as `apps`. */
const argoSteps = ["argocd-update", "argocd-wait"];

interface AppReference {
  name: string;
  namespace: string;
}

/**
 * Has the stage name the Argo CD Applications of a promotion, or none, for pages that link to them. They come
 * from what its steps put out, and from the health checks that they asked for.
 */
export function nameApplications(pass: StagePass, promotion: Promotion | undefined): void {
  const { annotations = {} } = pass.stage.metadata;
  const apps = promotion === undefined ? [] : applicationsOf(promotion);
  const told = apps.length === 0 ? undefined : JSON.stringify(apps);
  if (annotations[keys.argocdContext] === told) {
    delete pass.annotations;
    return;
  }
  const { [keys.argocdContext]: _, ...others } = annotations;
  pass.annotations = told === undefined ? others : { ...others, [keys.argocdContext]: told };
}

function applicationsOf({ spec, status = {} }: Promotion): AppReference[] {
  const outputs = (spec.steps ?? []).flatMap(({ uses = "", as = "" }) =>
    argoSteps.includes(uses) ? [appsIn(status.state?.[as])] : [],
  );
  const checks = (status.healthChecks ?? []).map(({ config }) => appsIn(config));
  const all = [...outputs, ...checks].flat();
  return [...new Map(all.map((app) => [`${app.namespace}/${app.name}`, app])).values()];
}

function appsIn(value: unknown): AppReference[] {
  const { apps } = (value ?? {}) as { apps?: unknown };
  if (!Array.isArray(apps)) return [];
  return apps.flatMap((app) => {
    const { name, namespace } = (app ?? {}) as Record<string, unknown>;
    if (typeof name !== "string" || name === "") return [];
    return { name, namespace: typeof namespace === "string" ? namespace : "" };
  });
}
