import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type ApiClient, apiPath, createApiClient } from "#cli/api-client.ts";
import { sendManifests } from "#cli/commands/apply.ts";
import { decide, type Gate } from "#cli/commands/gates.ts";
import { type DaemonProcess, startDaemon } from "#cli/daemon-process.ts";
import { serveEnvironments } from "#cli/demo/environments-server.ts";
import { demoProject, readQuickstart } from "#cli/demo/quickstart.ts";
import { createRepositories, type DemoRepositories } from "#cli/demo/repositories.ts";
import { createStory } from "#cli/demo/story.ts";
import { type CliIO, print } from "#cli/io.ts";

export interface DemoOptions {
  yes?: boolean;
  port?: string;
  keep?: boolean;
}

const firstRelease = "v1.0.0";
/** Tagged while the first one waits at its gate. */
const secondRelease = "v1.1.0";

/** `towpath demo`: two repositories, a daemon, the quickstart pipeline, and two releases that go through it. */
export async function demo(options: DemoOptions, io: CliIO): Promise<void> {
  const root = await mkdtemp(join(tmpdir(), "towpath-demo-"));
  await using cleanUp = new AsyncDisposableStack();
  if (!options.keep) cleanUp.defer(() => rm(root, { recursive: true, force: true }));

  const repositories = await createRepositories(root);
  await repositories.release(firstRelease);
  const environments = await serveEnvironments(repositories);
  cleanUp.defer(environments.close);
  print(io, `App repository     ${join(repositories.folder, "app.git")} (its tags are releases)`);
  print(
    io,
    `Config repository  ${join(repositories.folder, "config.git")} (env/test, env/staging, env/prod)`,
  );

  const daemon = await startDaemon({
    data: join(root, "data"),
    port: options.port === undefined ? undefined : Number(options.port),
    allowNet: [new URL(environments.url).host],
  });
  cleanUp.defer(daemon.stop);
  print(io, `Daemon             ${daemon.server}\nToken              ${daemon.token}\n`);

  const client = createApiClient(daemon);
  await sendManifests(client, "PUT", await readQuickstart(repositories.folder, environments.url), io);
  print(io, "");
  await watchReleases({ client, daemon, repositories, yes: options.yes ?? false }, io);
}

interface Stageplay {
  client: ApiClient;
  daemon: DaemonProcess;
  repositories: DemoRepositories;
  yes: boolean;
}

/** Follows releases to prod. With `yes` it opens the way for them and ends when all are there. */
async function watchReleases(play: Stageplay, io: CliIO): Promise<void> {
  const { client, repositories, yes } = play;
  const end = new AbortController();
  io.signal.addEventListener("abort", () => end.abort(), { once: true });
  let secondIsTagged = false;
  const story = createStory(client, io, end.signal).follow(async (gate) => {
    announce(gate, play.daemon, io);
    if (!secondIsTagged) {
      secondIsTagged = true;
      await repositories.release(secondRelease);
      print(io, `app        tagged ${secondRelease} while the gate is open`);
      await client.request(apiPath("projects", demoProject, "warehouses", "app", "refresh"), {
        method: "POST",
      });
    }
    if (yes) await decide(client, gate, "released", "released by the demo");
  });
  const delivered = untilDelivered(repositories, end.signal).then(async () => {
    // The commit is there; the promotion's last words are still on their way.
    await sleep(500);
    if (end.signal.aborted) return;
    print(
      io,
      `\nAll releases are in prod. The config repository's history:\n${await repositories.history()}`,
    );
    if (yes) end.abort();
    else print(io, "\nThe daemon goes on: tag another release in the app repository, or end it with Ctrl-C.");
  });
  try {
    await Promise.all([story, delivered]);
  } finally {
    end.abort();
  }
}

function announce(gate: Gate, { server, token }: DaemonProcess, io: CliIO): void {
  const url = `${server}/gates/${[gate.project, gate.promotion, gate.step].map(encodeURIComponent).join("/")}`;
  print(io, `\nA gate is open: ${gate.message}\n  in a browser:  ${url}`);
  print(
    io,
    `  or from here:  npm run -s towpath -- release ${gate.promotion} -p ${gate.project} --server ${server} --token ${token}\n`,
  );
}

/** Until prod has the newest release that the app repository knows, which may be one that somebody tagged by hand. */
async function untilDelivered(repositories: DemoRepositories, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const newest = await repositories.newestRelease();
    if (newest !== firstRelease && (await repositories.versionIn("prod")) === newest) return;
    await sleep(200);
  }
}
