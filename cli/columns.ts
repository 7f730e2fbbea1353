import { formatAge, formatTable } from "#cli/table.ts";
import type { Resource } from "#core/resources/resource.ts";

type Column = [header: string, value: (resource: Resource, now: Date) => string];

const age: Column = ["AGE", ({ metadata }, now) => formatAge(metadata.creationTimestamp, now)];
const name: Column = ["NAME", ({ metadata }) => metadata.name];

/** The text at a dotted path into a resource, or "". */
function at(path: string): (resource: Resource) => string {
  return (resource) => {
    const value = path
      .split(".")
      .reduce<unknown>((part, key) => (part as Record<string, unknown> | undefined)?.[key], resource);
    return value === undefined || value === null ? "" : String(value);
  };
}

const columnsOf: Record<string, Column[]> = {
  Project: [name, ["STATUS", conditionStatus], age],
  Warehouse: [name, ["STATUS", conditionStatus], ["LAST FREIGHT", at("status.lastFreightID")], age],
  Stage: [
    name,
    ["FREIGHT", at("status.freightSummary")],
    ["HEALTH", at("status.health.status")],
    ["STATUS", stageStatus],
    age,
  ],
  Freight: [name, ["ALIAS", alias], ["ORIGIN", at("origin.name")], ["CONTAINS", contents], age],
  Promotion: [
    name,
    ["STAGE", at("spec.stage")],
    ["FREIGHT", at("spec.freight")],
    ["PHASE", at("status.phase")],
    age,
  ],
  Event: [
    age,
    ["REASON", at("reason")],
    ["OF", (event) => `${at("involvedObject.kind")(event)}/${at("involvedObject.name")(event)}`],
    ["MESSAGE", (event) => at("message")(event).split("\n")[0] ?? ""],
  ],
  AnalysisRun: [name, ["PHASE", at("status.phase")], age],
};

/** One line for each resource, with the columns that matter for its kind. */
export function resourceTable(resources: readonly Resource[], now: Date): string {
  const columns = columnsOf[resources[0]?.kind ?? ""] ?? [name, age];
  return formatTable(
    columns.map(([header]) => header),
    resources.map((resource) => columns.map(([, value]) => value(resource, now))),
  );
}

interface Condition {
  type: string;
  status: string;
  reason?: string;
}

/** What stands in the way of a resource, as its conditions tell it, or "Ready". */
function conditionStatus(resource: Resource): string {
  const conditions = ((resource.status as { conditions?: Condition[] } | undefined)?.conditions ??
    []) as Condition[];
  const ready = conditions.find(({ type }) => type === "Ready");
  if (!ready) return "";
  return ready.status === "True" ? "Ready" : (ready.reason ?? "NotReady");
}

/** What stands in the way of a Stage, and what keeps promotions from it. */
function stageStatus(stage: Resource): string {
  const { conditions = [], promotionWindowStatus } = (stage.status ?? {}) as {
    conditions?: Condition[];
    promotionWindowStatus?: { closed?: boolean };
  };
  const frozen = conditions.some(({ type, status }) => type === "Frozen" && status === "True");
  const held = [frozen ? "Frozen" : "", promotionWindowStatus?.closed ? "WindowClosed" : ""];
  return [conditionStatus(stage), ...held].filter(Boolean).join(",");
}

function alias(resource: Resource): string {
  return at("alias")(resource) || (resource.metadata.labels?.["kargo.akuity.io/alias"] ?? "");
}

interface Artifacts {
  commits?: { repoURL: string; id?: string; tag?: string }[];
  images?: { repoURL: string; tag?: string; digest?: string }[];
  charts?: { repoURL: string; name?: string; version?: string }[];
}

/** A Freight's artifacts in short: `app.git v1.2.0, ghcr.io/acme/web:1.4`. */
function contents(resource: Resource): string {
  const { commits = [], images = [], charts = [] } = resource as unknown as Artifacts;
  return [
    ...commits.map(({ repoURL, tag, id }) => `${repoURL.split("/").at(-1)} ${tag ?? id?.slice(0, 7) ?? ""}`),
    ...images.map(({ repoURL, tag, digest }) => (tag ? `${repoURL}:${tag}` : `${repoURL}@${digest ?? ""}`)),
    ...charts.map(({ repoURL, name: chart, version }) => `${chart || repoURL} ${version ?? ""}`),
  ].join(", ");
}
