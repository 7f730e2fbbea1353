import { apiPath } from "#cli/api-client.ts";
import { type CliIO, print } from "#cli/io.ts";
import { findCliKind, resourcePath } from "#cli/kinds.ts";
import { connect, type RemoteOptions, requireProject } from "#cli/session.ts";
import { UserError } from "#core/failure.ts";

/** Commands that ask the daemon for one thing and say that it was asked for. */

async function post(options: RemoteOptions, io: CliIO, segments: string[], done: string): Promise<void> {
  const project = requireProject(options, io);
  await connect(options, io).request(apiPath("projects", project, ...segments), { method: "POST" });
  print(io, done);
}

/** `towpath abort PROMOTION` */
export function abort(promotion: string, options: RemoteOptions, io: CliIO): Promise<void> {
  return post(options, io, ["promotions", promotion, "abort"], `promotion ${promotion}: abort requested`);
}

/** `towpath verify STAGE`: verifies the stage's freight again. */
export function verify(
  stage: string,
  options: RemoteOptions & { abort?: boolean },
  io: CliIO,
): Promise<void> {
  const segments = ["stages", stage, "verification", ...(options.abort ? ["abort"] : [])];
  return post(
    options,
    io,
    segments,
    `stage ${stage}: ${options.abort ? "abort of its " : ""}verification requested`,
  );
}

/** `towpath approve FREIGHT --stage STAGE` */
export async function approve(freight: string, options: RemoteOptions & { stage: string }, io: CliIO) {
  const project = requireProject(options, io);
  await connect(options, io).request(apiPath("projects", project, "freight", freight, "approve"), {
    method: "POST",
    query: { stage: options.stage },
  });
  print(io, `freight ${freight} approved for stage ${options.stage}`);
}

const refreshable = ["Warehouse", "Stage", "Promotion"];

/** `towpath refresh KIND NAME` */
export function refresh(kindWord: string, name: string, options: RemoteOptions, io: CliIO): Promise<void> {
  const kind = findCliKind(kindWord);
  if (!refreshable.includes(kind.kind)) {
    throw new UserError(`A ${kind.kind} cannot be refreshed`, {
      hint: "warehouses, stages and promotions can",
    });
  }
  return post(options, io, [kind.names[0] ?? "", name, "refresh"], `${kindWord} ${name}: refresh requested`);
}

/** `towpath delete KIND NAME` */
export async function deleteOne(kindWord: string, name: string, options: RemoteOptions, io: CliIO) {
  const kind = findCliKind(kindWord);
  const project = kind.namespaced ? requireProject(options, io) : "";
  await connect(options, io).request(resourcePath(kind, project, name), { method: "DELETE" });
  print(io, `${kind.kind.toLowerCase()} ${name} deleted`);
}
