import { type Application, titleOf } from "#core/argocd/application.ts";

/** On an Application: the stages that may change it, as `PROJECT:STAGE`, separated by commas. */
export const authorizedStage = "kargo.akuity.io/authorized-stage";

/**
 * Why the stage may not change the Application; undefined when it may. One entry of the annotation that cannot
 * be read takes the right from all: a slip of the pen must not give it to a stage that nobody meant.
 */
export function whyForbidden(app: Application, project: string, stage: string): string | undefined {
  const wanted = `${project}:${stage}`;
  const annotation = app.metadata.annotations?.[authorizedStage];
  if (annotation === undefined) {
    return `${titleOf(app)} has no annotation ${authorizedStage}: "${wanted}"`;
  }
  const entries = annotation
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
  const where = `annotation ${authorizedStage} of ${titleOf(app)}`;
  if (entries.length === 0) return `${where} names no stage`;
  const stages: string[] = [];
  for (const entry of entries) {
    const [of = "", ...rest] = entry.split(":");
    const name = rest.join(":").trim();
    if (of.trim() === "" || name === "") return `${where} has "${entry}", which is not <project>:<stage>`;
    if (entry.includes("*")) return `${where} has "${entry}", and patterns are no longer understood there`;
    stages.push(`${of.trim()}:${name}`);
  }
  return stages.includes(wanted) ? undefined : `${where} names ${stages.join(", ")}, and not ${wanted}`;
}
