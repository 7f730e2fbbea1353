import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { median, milliseconds, report, timed } from "#bench/lib/figures.ts";
import {
  kargo,
  listFreight,
  project,
  projectResource,
  stage,
  startWorld,
  type World,
} from "#bench/lib/world.ts";
import { apiPath } from "#cli/api-client.ts";
import type { ProjectConfig } from "#core/resources/project-config.ts";
import type { Promotion } from "#core/resources/promotion.ts";

const rounds = 15;

/** From the call of a webhook to the freight, and to the start of the first step of the promotion that follows. */
export async function benchWebhook(): Promise<void> {
  await using world = await startWorld();
  const repository = join(world.folder, "app.git");
  const clone = join(world.folder, "app");
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=bench", "-c", "user.email=bench@example.com", ...args], {
      stdio: "pipe",
    });
  git("init", "-q", "--bare", "-b", "main", repository);
  git("clone", "-q", repository, clone);
  const push = (n: number) => {
    writeFileSync(join(clone, "file"), String(n));
    git("-C", clone, "add", ".");
    git("-C", clone, "commit", "-qm", `change ${n}`);
    git("-C", clone, "push", "-q", "origin", "HEAD:main");
  };
  push(0);
  await world.apply(...pipeline(repository));
  const url = await receiverUrl(world);
  await untilPromotions(world, 1);

  const bare = join(world.folder, "bare.git");
  git("clone", "-q", "--mirror", repository, bare);
  const toStep: number[] = [];
  const toFreight: number[] = [];
  const fetches: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    push(round);
    fetches.push(await timed(() => git("-C", bare, "fetch", "-q", "--prune", "origin")));
    const called = Date.now();
    const answer = await fetch(url, {
      method: "POST",
      body: "{}",
      headers: { "content-type": "application/json" },
    });
    if (!answer.ok) throw new Error(`the webhook answered ${answer.status}: ${await answer.text()}`);
    await untilFreight(world, round + 1);
    toFreight.push(Date.now() - called);
    const newest = (await untilPromotions(world, round + 1)).at(-1);
    toStep.push(Date.parse(newest?.status?.stepExecutionMetadata?.[0]?.startedAt ?? "") - called);
  }
  report(
    "from POST /webhook to the freight",
    milliseconds(median(toFreight)),
    `median; aim: under 1 s more than the same fetch by itself, ${milliseconds(median(fetches))}`,
  );
  report(
    "from POST /webhook to the first step's start",
    milliseconds(median(toStep)),
    "median; aim: under 50 ms",
  );
}

function pipeline(repository: string): unknown[] {
  const metadata = (name: string) => ({ name, namespace: project });
  return [
    projectResource(),
    {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { ...metadata("hook"), labels: { "kargo.akuity.io/cred-type": "generic" } },
      stringData: { secret: "a-secret-of-the-bench" },
    },
    {
      apiVersion: kargo,
      kind: "ProjectConfig",
      metadata: metadata(project),
      spec: {
        promotionPolicies: [{ stageSelector: { name: "first" }, autoPromotionEnabled: true }],
        webhookReceivers: [
          {
            name: "push",
            generic: {
              secretRef: { name: "hook" },
              actions: [
                {
                  action: "Refresh",
                  whenExpression: "true",
                  targetSelectionCriteria: [{ kind: "Warehouse", name: "app" }],
                },
              ],
            },
          },
        ],
      },
    },
    {
      apiVersion: kargo,
      kind: "Warehouse",
      metadata: metadata("app"),
      spec: {
        interval: "24h",
        subscriptions: [{ git: { repoURL: `file://${repository}`, branch: "main" } }],
      },
    },
    stage("first", [{ uses: "compose-output", config: { value: "x" } }]),
  ];
}

async function receiverUrl({ client }: World): Promise<string> {
  for (;;) {
    const config = await client.request<ProjectConfig>(apiPath("projects", project, "config"));
    const url = config.status?.webhookReceivers?.[0]?.url;
    if (url) return url;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function untilFreight({ client }: World, count: number): Promise<void> {
  while ((await listFreight(client)).length < count) await new Promise((resolve) => setTimeout(resolve, 10));
}

async function untilPromotions({ client }: World, count: number): Promise<Promotion[]> {
  for (;;) {
    const { items } = await client.request<{ items: Promotion[] }>(
      apiPath("projects", project, "promotions"),
    );
    const over = items.filter(({ status }) => status?.phase === "Succeeded");
    if (over.length >= count) {
      return over.sort((a, b) => (a.status?.startedAt ?? "").localeCompare(b.status?.startedAt ?? ""));
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
