import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { apiPath } from "#cli/api-client.ts";
import { sendManifests } from "#cli/commands/apply.ts";
import { type CliIO, print } from "#cli/io.ts";
import { knownSteps } from "#cli/known-steps.ts";
import { connect, type RemoteOptions } from "#cli/session.ts";
import { UserError } from "#core/failure.ts";
import type { CustomPromotionStep } from "#core/resources/custom-promotion-step.ts";
import { generateSchemas, schemaText } from "#core/resources/json-schemas.ts";

/** `towpath steps add IMAGE`: the daemon reads the image, since it is the daemon that will run it. */
export async function addStep(
  image: string,
  options: RemoteOptions & { pullSecret?: string[]; dryRun?: boolean },
  io: CliIO,
): Promise<void> {
  const client = connect(options, io);
  const step = await client.request<CustomPromotionStep>(apiPath("step-images"), {
    method: "POST",
    body: { image, imagePullSecrets: options.pullSecret ?? [] },
    signal: io.signal,
  });
  const manifest = stringify(step);
  if (options.dryRun) {
    print(io, manifest.trimEnd());
    return;
  }
  await sendManifests(client, "PUT", manifest, io);
  print(io, `pinned to ${step.spec.image}`);
}

/** `towpath steps schemas FOLDER` */
export async function writeSchemas(
  folder: string,
  options: RemoteOptions & { plugin?: string[] },
  io: CliIO,
): Promise<void> {
  const { items } = await connect(options, io).request<{ items: CustomPromotionStep[] }>(
    apiPath("shared", "custom-promotion-steps"),
  );
  try {
    await mkdir(folder, { recursive: true });
    for (const [file, schema] of generateSchemas(await knownSteps(options.plugin, io), items)) {
      await writeFile(join(folder, file), schemaText(schema));
    }
  } catch (cause) {
    throw new UserError(`Cannot write schemas to "${folder}": ${(cause as Error).message}`, { cause });
  }
  const count = items.length === 1 ? "1 registered step" : `${items.length} registered steps`;
  print(io, `wrote schemas to ${folder}, which know ${count}`);
}
