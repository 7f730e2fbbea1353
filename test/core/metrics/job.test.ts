import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createMasker } from "#core/credentials/masker.ts";
import type { Job, JobState } from "#core/metrics/provider.ts";
import type { Resource } from "#core/resources/resource.ts";
import { type AnalysisJobs, createAnalysisJobs } from "#core/stages/verification/jobs/jobs.ts";
import { containerLog } from "#core/stages/verification/jobs/pod.ts";
import type { Store } from "#core/store/store.ts";
import { createJobRunner } from "#runners/container/job-runner.ts";
import { openStore, secret } from "#test/core/metrics/metric-world.ts";
import { makeBusyboxImage } from "#test/support/busybox-image.ts";
import { type ContainerWorld, openContainerWorld } from "#test/support/containers.ts";
import { requirePart } from "#test/support/require-part.ts";

describe.skipIf(!(await requirePart("docker")))("a job metric", () => {
  let world: ContainerWorld;
  let image: string;
  let store: Store;
  let count = 0;
  beforeAll(async () => {
    image = await makeBusyboxImage();
    world = await openContainerWorld();
    store = await openStore();
    const settings = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "settings", namespace: "shop" },
      data: { HOST: "test.example.com" },
    };
    await store.write([
      { op: "create", resource: secret("api", { token: "s3cr3t-token" }) },
      { op: "create", resource: settings as Resource },
    ]);
  });
  afterAll(() => world[Symbol.asyncDispose]());

  const open = (): AnalysisJobs =>
    createAnalysisJobs({
      store,
      masker: createMasker(),
      runner: createJobRunner(world.services),
      now: () => new Date(),
      onError: (error) => {
        throw error;
      },
      pauseSeconds: () => 0,
    });

  /** A job of containers, each a shell script. */
  function jobOf(scripts: Record<string, string>, { pod = {}, ...spec }: Record<string, unknown> = {}): Job {
    const uid = `run-${process.pid}-${Date.now()}-${++count}`;
    const containers = Object.entries(scripts).map(([name, script]) => ({
      name,
      image,
      command: ["sh", "-c", script],
    }));
    return {
      id: `${uid}.integration-tests-of-the-shop.1`,
      run: { kind: "AnalysisRun", project: "shop", name: uid, uid },
      metric: "integration-tests-of-the-shop",
      spec: {
        backoffLimit: 0,
        ...spec,
        template: { spec: { containers, restartPolicy: "Never", ...(pod as object) } },
      },
    };
  }

  async function endOf(jobs: AnalysisJobs, job: Job): Promise<JobState> {
    for (;;) {
      const state = await jobs.follow(job);
      if (state.phase !== "running") return state;
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  }

  const logOf = async ({ run, metric }: Job, container: string) =>
    (await store.readLog(containerLog(run, metric, container), 0)).map(({ text }) => text);

  it("succeeds with its containers, and keeps what each of them says", async () => {
    const job = jobOf({ web: "echo web is up", api: "echo api is up" });
    expect(await endOf(open(), job)).toEqual({ phase: "succeeded" });
    expect(await logOf(job, "web")).toEqual(["web is up"]);
    expect(await logOf(job, "api")).toEqual(["api is up"]);
  });

  it("fails with one of them, and says why", async () => {
    const job = jobOf({ web: "exit 0", api: "echo no answer >&2; exit 3" });
    expect(await endOf(open(), job)).toEqual({
      phase: "failed",
      message: 'Container "api": The command ended with exit code 3: no answer',
    });
  });

  it("tries again as often as backoffLimit says", async () => {
    const job = jobOf({ flaky: "echo tried; exit 1" }, { backoffLimit: 2 });
    expect(await endOf(open(), job)).toMatchObject({ phase: "failed" });
    expect(await logOf(job, "flaky")).toEqual(["tried", "tried", "tried"]);
  });

  it("gets its environment from values, Secrets, ConfigMaps and the run, and hides the secrets", async () => {
    const env = [
      { name: "TOKEN", valueFrom: { secretKeyRef: { name: "api", key: "token" } } },
      { name: "URL", value: "https://$(HOST)/$(UNKNOWN)" },
      { name: "RUN", valueFrom: { fieldRef: { fieldPath: "metadata.namespace" } } },
      { name: "MAYBE", valueFrom: { secretKeyRef: { name: "gone", key: "k", optional: true } } },
    ];
    const containers = [
      {
        name: "show",
        image,
        command: ["sh", "-c"],
        args: ['echo "$TOKEN" "$URL" "$RUN" "[$MAYBE]" "$(HOST)"'],
        workingDir: "/tmp",
        env,
        envFrom: [{ configMapRef: { name: "settings" } }],
        resources: { limits: { memory: "64Mi", cpu: "500m" }, requests: { cpu: "100m" } },
      },
    ];
    const job = jobOf({}, { pod: { containers } });
    expect(await endOf(open(), job)).toEqual({ phase: "succeeded" });
    expect(await logOf(job, "show")).toEqual([
      "*** https://test.example.com/$(UNKNOWN) shop [] test.example.com",
    ]);
  });

  it("runs init containers first, and nothing after one that fails", async () => {
    const initContainers = [{ name: "migrate", image, command: ["sh", "-c", "exit 4"] }];
    const job = jobOf({ web: "echo up" }, { pod: { initContainers } });
    expect(await endOf(open(), job)).toMatchObject({
      phase: "failed",
      message: expect.stringContaining("migrate"),
    });
    expect(await logOf(job, "web")).toEqual([]);
  });

  it("tells that its image cannot be had", async () => {
    const containers = [{ name: "none", image: "127.0.0.1:1/none" }];
    await expect(endOf(open(), jobOf({}, { pod: { containers } }))).rejects.toThrow(
      'Cannot pull image "127.0.0.1:1/none"',
    );
  });

  it("is stuck where the operator allows it not, and failed where the image lacks the program", async () => {
    const wants = (container: object) =>
      jobOf({}, { pod: { containers: [{ name: "a", image, ...container }] } });
    const reserved = await endOf(open(), wants({ env: [{ name: "TOWPATH_OUTPUT", value: "x" }] }));
    expect(reserved).toMatchObject({ phase: "stuck", message: expect.stringContaining("TOWPATH_OUTPUT") });
    const lacking = await endOf(open(), wants({ command: ["/no/such/program"] }));
    expect(lacking).toMatchObject({ phase: "failed", message: expect.stringContaining("/no/such/program") });
  });

  it("is ended when it takes longer than it may", async () => {
    const state = await endOf(open(), jobOf({ slow: "exec sleep 30" }, { activeDeadlineSeconds: 1 }));
    expect(state).toEqual({ phase: "failed", message: "The job was ended: it ran longer than its 1 s" });
  });

  it("goes on without the daemon, and is found again by the next one", async () => {
    const job = jobOf({ slow: "echo begun; sleep 1; echo ended" });
    const first = open();
    await first.follow(job);
    while (!(await logOf(job, "slow")).includes("begun"))
      await new Promise((resolve) => setTimeout(resolve, 30));
    first.close();
    const next = open();
    expect(await endOf(next, job)).toEqual({ phase: "succeeded" });
    expect((await logOf(job, "slow")).filter((text) => text === "begun" || text === "ended")).toEqual([
      "begun",
      "ended",
    ]);
    // What came of it is known: nothing is run again.
    expect(await endOf(open(), job)).toEqual({ phase: "succeeded" });
    await next.forget(job.run.uid);
  });

  it.each([
    { what: "volumes", pod: { volumes: [{ name: "v", emptyDir: {} }] }, says: "volumes" },
    { what: "the host's network", pod: { hostNetwork: true }, says: "hostNetwork" },
    {
      what: "a Secret that is not there",
      pod: { containers: [{ name: "a", image: "x", envFrom: [{ secretRef: { name: "gone" } }] }] },
      says: 'there is no Secret "gone"',
    },
    { what: "no containers", pod: { containers: [] }, says: "spec.template.spec.containers" },
  ])("that asks for $what is refused, and told so", async ({ pod, says }) => {
    await expect(endOf(open(), jobOf({ web: "true" }, { pod }))).rejects.toThrow(says);
  });
});
