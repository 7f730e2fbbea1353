import { apiPath } from "#cli/api-client.ts";
import { UserError } from "#core/failure.ts";
import { nearestName } from "#core/nearest-name.ts";

/** Where the API keeps a kind, and what people call it on the command line. */
export interface CliKind {
  kind: string;
  names: readonly string[];
  /** Folder of the kind; a project's kinds need one. */
  path(project: string): string;
  namespaced: boolean;
  /** The one name that it can have, where there is one of it; the path then is that one's own. */
  onlyName?(project: string): string;
}

function projectKind(kind: string, folder: string, ...names: string[]): CliKind {
  return {
    kind,
    names: [folder, ...names],
    namespaced: true,
    path: (project) => apiPath("projects", project, folder),
  };
}

function sharedKind(kind: string, folder: string, ...names: string[]): CliKind {
  return { kind, names: [folder, ...names], namespaced: false, path: () => apiPath("shared", folder) };
}

/** Where the API keeps one resource of a kind. */
export function resourcePath(kind: CliKind, project: string, name: string): string {
  const only = kind.onlyName?.(project);
  if (only === undefined) return `${kind.path(project)}/${encodeURIComponent(name)}`;
  if (name === only) return kind.path(project);
  throw new UserError(`There is no ${kind.kind} "${name}"`, { hint: `the only one is called "${only}"` });
}

export const cliKinds: readonly CliKind[] = [
  { kind: "Project", names: ["projects", "project"], namespaced: false, path: () => apiPath("projects") },
  {
    kind: "ProjectConfig",
    names: ["project-config", "projectconfig", "project-configs", "projectconfigs"],
    namespaced: true,
    path: (project) => apiPath("projects", project, "config"),
    onlyName: (project) => project,
  },
  projectKind("Warehouse", "warehouses", "warehouse"),
  projectKind("Freight", "freight", "freights"),
  projectKind("Stage", "stages", "stage"),
  projectKind("Promotion", "promotions", "promotion", "promo", "promos"),
  projectKind("PromotionTask", "promotion-tasks", "promotiontask", "promotiontasks"),
  projectKind("AnalysisTemplate", "analysis-templates", "analysistemplate", "analysistemplates"),
  projectKind("AnalysisRun", "analysis-runs", "analysisrun", "analysisruns"),
  projectKind("Event", "events", "event"),
  projectKind("ConfigMap", "configmaps", "configmap", "cm"),
  projectKind("MessageChannel", "message-channels", "messagechannel", "messagechannels"),
  projectKind("EventRouter", "event-routers", "eventrouter", "eventrouters"),
  {
    kind: "ClusterConfig",
    names: ["cluster-config", "clusterconfig", "cluster-configs", "clusterconfigs"],
    namespaced: false,
    path: () => apiPath("system", "cluster-config"),
    onlyName: () => "cluster",
  },
  sharedKind(
    "ClusterPromotionTask",
    "cluster-promotion-tasks",
    "clusterpromotiontask",
    "clusterpromotiontasks",
  ),
  sharedKind("ClusterAnalysisTemplate", "cluster-analysis-templates", "clusteranalysistemplate"),
  sharedKind("ClusterMessageChannel", "cluster-message-channels", "clustermessagechannel"),
  sharedKind("CustomPromotionStep", "custom-promotion-steps", "custompromotionstep", "custompromotionsteps"),
];

/** The kind that a word on the command line means. */
export function findCliKind(word: string): CliKind {
  const wanted = word.toLowerCase();
  const found = cliKinds.find(({ names }) => names.includes(wanted));
  if (found) return found;
  const known = cliKinds.map(({ names }) => names[0] ?? "");
  const near = nearestName(wanted, known);
  throw new UserError(`Unknown kind "${word}"`, {
    hint: near ? `did you mean "${near}"?` : `known kinds: ${known.join(", ")}`,
  });
}
