import { shortLabelValue } from "#core/promotion/build.ts";
import { referencesOf } from "#core/promotion/freight-collection.ts";
import { promotionName } from "#core/promotion/name.ts";
import type { AnalysisRun } from "#core/resources/analysis-run.ts";
import type { AnalysisTemplate, AnalysisTemplateSpec } from "#core/resources/analysis-template.ts";
import type { FreightCollection } from "#core/resources/freight.ts";
import type { OwnerReference } from "#core/resources/resource.ts";
import type { Stage, Verification } from "#core/resources/stage.ts";
import { keys } from "#core/stages/keys.ts";
import type { FreightDesk, StageServices } from "#core/stages/pass.ts";
import { fillArguments, mergeTemplates } from "#core/stages/verification/merge-templates.ts";

export interface RunRequest {
  stage: Stage;
  collection: FreightCollection;
  freight: FreightDesk;
  /** The promotion that leads to it, if one does. */
  promotion?: string;
}

type Services = Pick<StageServices, "store" | "expressions" | "functionsFor">;

/** The AnalysisRun that verifies what the stage holds. Throws an error that says what is wrong with its making. */
export async function buildAnalysisRun(services: Services, request: RunRequest): Promise<AnalysisRun> {
  const { stage, collection, promotion } = request;
  const { namespace: project = "", name } = stage.metadata;
  const verification: Verification = stage.spec.verification ?? {};
  const template = mergeTemplates(await findTemplates(services, project, verification));
  const given = await evaluateArguments(services, request, verification);
  const shortName = shortLabelValue(name);
  return {
    apiVersion: "argoproj.io/v1alpha1",
    kind: "AnalysisRun",
    metadata: {
      name: promotionName(name, collection.id),
      namespace: project,
      labels: {
        ...verification.analysisRunMetadata?.labels,
        [keys.stage]: shortName,
        [keys.freightCollection]: collection.id,
      },
      annotations: {
        ...verification.analysisRunMetadata?.annotations,
        ...(shortName === name ? {} : { [keys.stage]: name }),
        ...(promotion === undefined ? {} : { [keys.promotion]: promotion }),
      },
      ownerReferences: await ownersOf(request),
    },
    spec: {
      metrics: template.metrics ?? [],
      dryRun: template.dryRun ?? [],
      measurementRetention: template.measurementRetention ?? [],
      args: fillArguments(template.args ?? [], given),
    },
  };
}

/** Each template once, those that a template joins to itself behind it. */
async function findTemplates(
  { store }: Services,
  project: string,
  { analysisTemplates = [] }: Verification,
): Promise<AnalysisTemplateSpec[]> {
  const specs = new Map<string, AnalysisTemplateSpec>();
  const add = async (kind: string, name: string, wantedBy = ""): Promise<void> => {
    if (specs.has(`${kind}/${name}`)) return;
    const isOfProject = kind === "AnalysisTemplate";
    const template = await store.get(isOfProject ? { kind, project, name } : { kind, name });
    if (template === undefined) {
      const where = isOfProject ? ` in namespace "${project}"` : "";
      throw new Error(`${kind} "${name}" not found${where}${wantedBy}`);
    }
    const { spec } = template as AnalysisTemplate;
    specs.set(`${kind}/${name}`, spec);
    for (const { templateName, clusterScope } of spec.templates ?? []) {
      const nested = clusterScope ? "ClusterAnalysisTemplate" : "AnalysisTemplate";
      await add(nested, templateName, `, which ${kind} "${name}" joins to itself`);
    }
  };
  for (const { kind = "AnalysisTemplate", name } of analysisTemplates) await add(kind, name);
  return [...specs.values()];
}

async function evaluateArguments(
  { expressions, functionsFor }: Services,
  { stage, collection }: RunRequest,
  { args = [] }: Verification,
): Promise<Record<string, string>> {
  const { namespace: project = "", name } = stage.metadata;
  const { requestedFreight, vars: declared = [] } = stage.spec;
  const functions = functionsFor({
    project,
    freightRequests: requestedFreight,
    freight: referencesOf(collection),
  });
  const ctx = { project, stage: name };
  const vars: Record<string, unknown> = {};
  const evaluate = (what: string, value: string) =>
    expressions.evaluateTemplate(value, { env: { ctx, vars }, functions }).catch((error: Error) => {
      throw new Error(`evaluate ${what}: ${error.message}`, { cause: error });
    });
  for (const variable of declared) {
    vars[variable.name] = await evaluate(`variable "${variable.name}"`, variable.value);
  }
  const given: Record<string, string> = {};
  for (const { name, value } of args) {
    if (value === "") continue;
    const evaluated = await evaluate(`argument "${name}"`, value);
    if (typeof evaluated !== "string") {
      throw new Error(`argument "${name}" must be a string, and is ${JSON.stringify(evaluated)}`);
    }
    given[name] = evaluated;
  }
  return given;
}

/** The run goes when the freight goes. */
async function ownersOf({ collection, freight }: RunRequest): Promise<OwnerReference[]> {
  const owners: OwnerReference[] = [];
  for (const { name } of referencesOf(collection)) {
    const owner = await freight.find(name);
    if (owner === undefined) throw new Error(`Freight "${name}" not found`);
    const { apiVersion, kind, metadata } = owner;
    owners.push({ apiVersion, kind, name, uid: metadata.uid ?? "", blockOwnerDeletion: false });
  }
  return owners;
}
