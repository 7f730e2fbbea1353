import { type ApiClient, apiPath } from "#cli/api-client.ts";
import type { CliIO } from "#cli/io.ts";
import { isFinal } from "#cli/promotion-view.ts";
import { connect, type RemoteOptions, requireProject } from "#cli/session.ts";
import type { Promotion } from "#core/resources/promotion.ts";
import type { LogLine } from "#core/store/store.ts";

export interface LogOptions extends RemoteOptions {
  follow?: boolean;
}

/** `towpath logs PROMOTION [STEP] [-f]` */
export async function logs(promotion: string, step: string | undefined, options: LogOptions, io: CliIO) {
  const client = connect(options, io);
  const path = apiPath("projects", requireProject(options, io), "promotions", promotion);
  if (step !== undefined) return showLog(client, path, step, "", options.follow ?? false, io);

  const shown = new Set<string>();
  for (;;) {
    const current = await client.request<Promotion>(path);
    for (const { alias = "" } of current.status?.stepExecutionMetadata ?? []) {
      if (shown.has(alias)) continue;
      shown.add(alias);
      await showLog(client, path, alias, `${alias} | `, options.follow ?? false, io);
    }
    if (!options.follow || isFinal(current.status?.phase) || io.signal.aborted) return;
    await nextChange(client, path, current, io);
  }
}

async function showLog(
  client: ApiClient,
  promotionPath: string,
  step: string,
  prefix: string,
  follow: boolean,
  io: CliIO,
): Promise<void> {
  const path = `${promotionPath}/steps/${encodeURIComponent(step)}/log`;
  if (!follow) {
    const text = await client.text(path);
    io.stdout.write(text.replace(/^(?=.)/gm, prefix));
    return;
  }
  for await (const event of client.events(path, { query: { follow: "true" }, signal: io.signal })) {
    if (event.event === "end") return;
    io.stdout.write(`${prefix}${(JSON.parse(event.data) as LogLine).text}\n`);
  }
}

/** Waits until the promotion is another than the one that is known. A stream begins with how things stand. */
async function nextChange(client: ApiClient, path: string, known: Promotion, io: CliIO): Promise<void> {
  for await (const event of client.events(path, { query: { watch: "true" }, signal: io.signal })) {
    const { object } = JSON.parse(event.data) as { object: Promotion };
    if (object.metadata.resourceVersion !== known.metadata.resourceVersion) return;
  }
}
