import { execFile, execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { median, milliseconds, report, timed } from "#bench/lib/figures.ts";
import {
  freight,
  listFreight,
  projectResource,
  promote,
  stage,
  startWorld,
  untilOver,
  type World,
  warehouse,
} from "#bench/lib/world.ts";
import type { Promotion } from "#core/resources/promotion.ts";
import { makeBusyboxImage } from "#test/support/busybox-image.ts";

const rounds = 12;
const atOnce = 20;
const megabytes = 100;
const repoURL = "https://git.example.com/app.git";
const dockerRun = promisify(execFile);

/** A step of `echo` in a container against `docker run --rm` of the same image and command, in turns; and a long log. */
export async function benchContainers(): Promise<void> {
  const image = await makeBusyboxImage();
  await using world = await startWorld();
  const echo = (as: string, options = {}) => ({
    uses: "container",
    as,
    config: { image, command: ["echo", "hello"], ...options },
  });
  const many = Array.from({ length: atOnce }, (_, n) => `many-${n}`);
  await world.apply(
    projectResource(),
    warehouse(repoURL),
    stage("cold", [echo("echo")]),
    stage("ahead", [echo("first"), echo("echo")]),
    stage("warm", [echo("first", { reuse: "promotion" }), echo("echo", { reuse: "promotion" })]),
    ...many.map((name) => stage(name, [echo("echo")])),
    stage("long", [echo("talk", { command: ["sh", "-c", talk] })]),
    freight(repoURL, "1".repeat(40)),
  );
  const [piece] = await listFreight(world.client);
  const run = promoter(world, piece?.metadata.name ?? "");

  const peer: number[] = [];
  const steps: Record<"cold" | "ahead" | "warm", number[]> = { cold: [], ahead: [], warm: [] };
  await run(["cold"]);
  for (let round = 0; round < rounds; round++) {
    peer.push(await timed(() => execFileSync("docker", ["run", "--rm", image, "echo", "hello"])));
    for (const [name, figures] of Object.entries(steps)) {
      const [promotion] = await run([name]);
      figures.push(lastStepMs(promotion));
    }
  }
  const against = (figure: number, aim = "") =>
    `${(figure / median(peer)).toFixed(2)}x docker run --rm${aim && `; aim: at most ${aim}x`}`;
  report("a container step of `echo`", milliseconds(median(steps.cold)), against(median(steps.cold), "1.0"));
  report("  made while another step ran", milliseconds(median(steps.ahead)), against(median(steps.ahead)));
  report(
    "  in a shared warm container",
    milliseconds(median(steps.warm)),
    against(median(steps.warm), "0.4"),
  );
  report("  docker run --rm (peer)", milliseconds(median(peer)));

  const together = await timed(() => run(many));
  const peers = await timed(() =>
    Promise.all(many.map(() => dockerRun("docker", ["run", "--rm", image, "echo", "hello"]))),
  );
  const ratio = (together / peers).toFixed(2);
  report(
    `${atOnce} promotions of it at once`,
    milliseconds(together),
    `${ratio}x as many docker runs at once`,
  );
  report("  as many docker runs at once (peer)", milliseconds(peers));
  await benchLog(world, () => run(["long"]), image);
}

const talk = `yes 'a line of a log that says nothing in particular, of eighty characters or so' | head -c ${megabytes}m`;

async function benchLog(world: World, run: () => Promise<Promotion[]>, image: string): Promise<void> {
  const before = await residentMegabytes(world);
  let highest = before;
  const watch = setInterval(async () => {
    highest = Math.max(highest, await residentMegabytes(world));
  }, 50);
  const [promotion] = await run();
  clearInterval(watch);
  const peer = await timed(() =>
    execFileSync("docker", ["run", "--rm", image, "sh", "-c", talk], { stdio: "ignore" }),
  );
  const took = lastStepMs(promotion);
  const rate = (ms: number) => `${((megabytes / ms) * 1000).toFixed(0)} MB/s`;
  report(
    `a step that prints ${megabytes} MB`,
    rate(took),
    `${(took / peer).toFixed(2)}x the time of docker run`,
  );
  report("  docker run of the same (peer)", rate(peer));
  report("  memory of the daemon meanwhile", `${highest.toFixed(0)} MB`, `${before.toFixed(0)} MB before`);
}

/** Promotes to stages and waits until all are over; gives what came of it, newest promotions only. */
function promoter(world: World, freightName: string): (stages: readonly string[]) => Promise<Promotion[]> {
  let count = 0;
  return async (stages) => {
    const started = await Promise.all(stages.map((name) => promote(world.client, name, freightName)));
    count += stages.length;
    const names = started.map(({ metadata }) => metadata.name);
    return (await untilOver(world.client, count)).filter(({ metadata }) => names.includes(metadata.name));
  };
}

function lastStepMs(promotion: Promotion | undefined): number {
  const { startedAt = "", finishedAt = "" } = promotion?.status?.stepExecutionMetadata?.at(-1) ?? {};
  return Date.parse(finishedAt) - Date.parse(startedAt);
}

async function residentMegabytes({ daemon }: World): Promise<number> {
  const status = await readFile(`/proc/${daemon.pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
}
