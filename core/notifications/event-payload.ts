import { eventPrefix } from "#core/promotion/events.ts";
import { gateEventPrefix } from "#core/promotion/gate-records.ts";
import type { EventRecord } from "#core/store/store.ts";

type Fields = Record<string, unknown>;

/** An event as expressions see it: Kargo's event reference says what it holds. */
export function eventPayload({ id, message, project, regarding, annotations = {} }: EventRecord): Fields {
  const read = (name: string): string | undefined => annotations[eventPrefix + name];
  const common = defined({
    project: read("project") ?? project ?? "",
    actor: read("actor") ?? annotations[`${gateEventPrefix}by`],
    message,
    id: String(id ?? ""),
  });
  switch (regarding.kind) {
    case "Promotion":
      return { ...common, ...promotionFields(read, regarding.name) };
    case "Freight":
      return { ...common, ...freightFields(read), ...verificationFields(read) };
    default:
      return {
        ...common,
        name: regarding.name,
        ...defined({ stageName: read("stage-name") }),
        ...gateFields(annotations),
      };
  }
}

type Read = (name: string) => string | undefined;

function promotionFields(read: Read, name: string): Fields {
  return defined({
    freight: read("freight-name") === undefined ? undefined : freightFields(read),
    name: read("promotion-name") ?? name,
    stageName: read("stage-name") ?? "",
    createTime: read("promotion-create-time"),
    applications: parsed(read("applications")),
    rollback: read("rollback") === undefined ? undefined : read("rollback") === "true",
    verificationPending:
      read("verification-pending") === undefined ? undefined : read("verification-pending") === "true",
  });
}

function freightFields(read: Read): Fields {
  return defined({
    name: read("freight-name") ?? "",
    stageName: read("stage-name") ?? "",
    createTime: read("freight-create-time"),
    alias: read("freight-alias"),
    commits: parsed(read("freight-commits")),
    images: parsed(read("freight-images")),
    charts: parsed(read("freight-charts")),
    artifacts: parsed(read("freight-artifacts")),
  });
}

function verificationFields(read: Read): Fields {
  return defined({
    verificationStartTime: read("verification-start-time"),
    verificationFinishTime: read("verification-finish-time"),
    analysisRunName: read("analysis-run-name"),
    analysisTriggeredByPromotion: read("promotion-name"),
  });
}

/** What a gate's event tells, each by its own name: `stage`, `promotion`, `step`, `expires-at` and so on. */
function gateFields(annotations: Readonly<Record<string, string>>): Fields {
  const told = Object.entries(annotations).flatMap(([name, value]) =>
    name.startsWith(gateEventPrefix) ? [[camelCase(name.slice(gateEventPrefix.length)), value]] : [],
  );
  const { stage, promotion, ...others } = Object.fromEntries(told) as Record<string, string>;
  return { ...others, ...defined({ stageName: stage, promotionName: promotion }) };
}

function camelCase(name: string): string {
  return name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function parsed(json: string | undefined): unknown {
  return json === undefined ? undefined : JSON.parse(json);
}

function defined(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
