import { stringify } from "yaml";
import { apiPath } from "#cli/api-client.ts";
import { type CliIO, print } from "#cli/io.ts";
import { connect, type RemoteOptions, requireProject } from "#cli/session.ts";
import { formatAge, formatTable } from "#cli/table.ts";
import { UserError } from "#core/failure.ts";

/** A freeze as the API tells of it. */
interface Freeze {
  project?: string;
  stage?: string;
  reason: string;
  actor: string;
  since: string;
}

interface ScopeOptions extends RemoteOptions {
  all?: boolean;
}

/** `towpath freeze [STAGE] --reason TEXT` */
export async function freeze(
  stage: string | undefined,
  options: ScopeOptions & { reason: string; abort?: boolean },
  io: CliIO,
): Promise<void> {
  const { path, what } = scopeOf(stage, options, io);
  const { reason, abort } = options;
  await connect(options, io).request(path, { method: "PUT", body: { reason, abort } });
  print(io, `${what} frozen`);
}

/** `towpath unfreeze [STAGE]` */
export async function unfreeze(stage: string | undefined, options: ScopeOptions, io: CliIO): Promise<void> {
  const { path, what } = scopeOf(stage, options, io);
  await connect(options, io).request(path, { method: "DELETE" });
  print(io, `${what} no longer frozen`);
}

/** `towpath freezes` */
export async function listFreezes(options: RemoteOptions & { output: string }, io: CliIO): Promise<void> {
  const project = options.project ?? io.env.TOWPATH_PROJECT;
  const path = project === undefined ? "/v1beta1/freezes" : apiPath("projects", project, "freezes");
  const freezes = (await connect(options, io).request<{ items: Freeze[] }>(path)).items;
  if (options.output === "json") return print(io, JSON.stringify(freezes, null, 2));
  if (options.output === "yaml") return print(io, stringify(freezes).trimEnd());
  if (freezes.length === 0) {
    io.stderr.write("Nothing is frozen\n");
    return;
  }
  const now = new Date();
  const rows = freezes.map(({ project, stage, since, actor, reason }) => [
    project ?? "(all)",
    stage ?? "(all)",
    formatAge(since, now),
    actor,
    reason,
  ]);
  print(io, formatTable(["PROJECT", "STAGE", "AGE", "BY", "REASON"], rows));
}

function scopeOf(
  stage: string | undefined,
  options: ScopeOptions,
  io: CliIO,
): { path: string; what: string } {
  if (options.all) {
    if (stage === undefined && options.project === undefined)
      return { path: "/v1beta1/freeze", what: "everything" };
    throw new UserError("--all is for everything: give no stage and no project with it");
  }
  const project = requireProject(options, io);
  if (stage === undefined)
    return { path: apiPath("projects", project, "freeze"), what: `project ${project}` };
  return { path: apiPath("projects", project, "stages", stage, "freeze"), what: `stage ${stage}` };
}
