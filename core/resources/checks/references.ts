import { didYouMean } from "#core/nearest-name.ts";
import type { AnalysisTemplate } from "#core/resources/analysis-template.ts";
import { templateFacts } from "#core/resources/checks/expression-facts.ts";
import { textsIn } from "#core/resources/checks/expression-sites.ts";
import type { Finding } from "#core/resources/checks/finding.ts";
import { stepListOf } from "#core/resources/checks/step-lists.ts";
import { refIn, type World } from "#core/resources/checks/world.ts";
import type { EventRouter } from "#core/resources/event-router.ts";
import type { Freight } from "#core/resources/freight.ts";
import type { LoadedResource } from "#core/resources/load.ts";
import type { MessageChannel } from "#core/resources/message-channel.ts";
import type { Path } from "#core/resources/path.ts";
import type { ProjectConfig } from "#core/resources/project-config.ts";
import type { Promotion } from "#core/resources/promotion.ts";
import { formatRef } from "#core/resources/resource.ts";
import type { Stage } from "#core/resources/stage.ts";

/** One resource names another. */
interface Reference {
  path: Path;
  kind: string;
  name: string;
  /** Whether the other belongs to no project. */
  shared?: boolean;
}

/** Resources that are named and not there. They may come later, so that these are warnings. */
export function checkReferences(resource: LoadedResource, world: World): Finding[] {
  const project = resource.resource.metadata.namespace;
  return [...ownReferences(resource), ...stepReferences(resource)].flatMap(
    ({ path, kind, name, shared }): Finding[] => {
      const home = shared ? undefined : project;
      const ref = refIn(home, kind, name);
      if (name === "" || world.has(ref)) return [];
      const advice = didYouMean(name, world.names(kind, home));
      return [{ resource, severity: "warning", path, message: `${formatRef(ref)} is not there${advice}` }];
    },
  );
}

function ownReferences({ resource }: LoadedResource): Reference[] {
  switch (resource.kind) {
    case "Stage":
      return stageReferences(resource as unknown as Stage);
    case "Freight":
      return [
        { path: ["origin", "name"], kind: "Warehouse", name: (resource as unknown as Freight).origin.name },
      ];
    case "Promotion": {
      const { stage, freight = "" } = (resource as unknown as Promotion).spec;
      return [
        { path: ["spec", "stage"], kind: "Stage", name: stage },
        { path: ["spec", "freight"], kind: "Freight", name: freight },
      ];
    }
    case "ProjectConfig":
      return projectConfigReferences(resource as unknown as ProjectConfig);
    case "MessageChannel": {
      const { secretRef } = (resource as unknown as MessageChannel).spec;
      return secretRef ? [{ path: ["spec", "secretRef", "name"], kind: "Secret", name: secretRef.name }] : [];
    }
    case "EventRouter":
      return (resource as unknown as EventRouter).spec.channels.map(({ kind, name }, index) => ({
        path: ["spec", "channels", index, "name"],
        kind,
        name,
        shared: kind === "ClusterMessageChannel",
      }));
    case "AnalysisTemplate":
    case "ClusterAnalysisTemplate":
      return analysisReferences(resource as unknown as AnalysisTemplate);
    default:
      return [];
  }
}

function stageReferences({ spec }: Stage): Reference[] {
  const requests = spec.requestedFreight.flatMap(({ origin, sources }, index): Reference[] => [
    { path: ["spec", "requestedFreight", index, "origin", "name"], kind: "Warehouse", name: origin.name },
    ...(sources.stages ?? []).map((name, position) => ({
      path: ["spec", "requestedFreight", index, "sources", "stages", position],
      kind: "Stage",
      name,
    })),
  ]);
  const templates = (spec.verification?.analysisTemplates ?? []).map(
    ({ name, kind }, index): Reference => ({
      path: ["spec", "verification", "analysisTemplates", index, "name"],
      kind: kind ?? "AnalysisTemplate",
      name,
      shared: kind === "ClusterAnalysisTemplate",
    }),
  );
  return [...requests, ...templates];
}

function projectConfigReferences({ spec }: ProjectConfig): Reference[] {
  const policies = (spec?.promotionPolicies ?? []).flatMap(({ stage, stageSelector }, index): Reference[] => {
    const name = stage ?? stageSelector?.name ?? "";
    const path = [
      "spec",
      "promotionPolicies",
      index,
      ...(stage === undefined ? ["stageSelector", "name"] : ["stage"]),
    ];
    return name.includes(":") ? [] : [{ path, kind: "Stage", name }];
  });
  const secrets = (spec?.webhookReceivers ?? []).flatMap(({ name: _, ...types }, index): Reference[] =>
    Object.entries(types).flatMap(([type, config]) =>
      config === undefined
        ? []
        : [
            {
              path: ["spec", "webhookReceivers", index, type, "secretRef", "name"],
              kind: "Secret",
              name: config.secretRef.name,
            },
          ],
    ),
  );
  return [...policies, ...secrets];
}

function analysisReferences({ kind, spec }: Pick<AnalysisTemplate, "spec"> & { kind: string }): Reference[] {
  const isShared = kind === "ClusterAnalysisTemplate";
  const templates = (spec.templates ?? []).map(({ templateName, clusterScope = isShared }, index) => ({
    path: ["spec", "templates", index, "templateName"],
    kind: clusterScope ? "ClusterAnalysisTemplate" : "AnalysisTemplate",
    name: templateName,
    shared: clusterScope,
  }));
  // A template of all projects reads the secrets of whichever project uses it.
  const secrets = (isShared ? [] : (spec.args ?? [])).map(({ valueFrom }, index) => ({
    path: ["spec", "args", index, "valueFrom", "secretKeyRef", "name"],
    kind: "Secret",
    name: valueFrom?.secretKeyRef?.name ?? "",
  }));
  return [...templates, ...secrets];
}

/** Tasks that steps name, and what their expressions read by literal names. */
function stepReferences(resource: LoadedResource): Reference[] {
  const list = stepListOf(resource);
  // A task of all projects reads the secrets of whichever project uses it.
  const ofOneProject = resource.resource.kind !== "ClusterPromotionTask";
  if (!list) return [];
  const tasks = list.steps.flatMap(({ task }, index): Reference[] =>
    task
      ? [
          {
            path: [...list.path, index, "task", "name"],
            kind: task.kind ?? "PromotionTask",
            name: task.name,
            shared: task.kind === "ClusterPromotionTask",
          },
        ]
      : [],
  );
  const texts = [
    ...list.variables.flatMap(({ variables, path }) => textsIn(variables, path)),
    ...textsIn(list.steps, list.path),
  ];
  return ofOneProject ? [...tasks, ...texts.flatMap(readByExpressions)] : tasks;
}

const kindsByFunction: Record<string, string> = {
  secret: "Secret",
  configMap: "ConfigMap",
  warehouse: "Warehouse",
  stageMetadata: "Stage",
};

function readByExpressions({ path, text }: { path: Path; text: string }): Reference[] {
  return templateFacts(text).calls.flatMap(({ name, firstText }): Reference[] => {
    const kind = Object.hasOwn(kindsByFunction, name) ? kindsByFunction[name] : undefined;
    return kind === undefined || firstText === undefined ? [] : [{ path, kind, name: firstText }];
  });
}
