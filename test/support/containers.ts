import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createExpressions } from "#core/expressions/expressions.ts";
import type { Invocation, RunnerIO, RunnerLogLine } from "#core/runner.ts";
import { allowancesFrom } from "#runners/container/allowances.ts";
import type { ContainerServices } from "#runners/container/container-runner.ts";
import { removeOrphans } from "#runners/container/containers.ts";
import { connectEngine } from "#runners/container/engine.ts";
import { createImages } from "#runners/container/images.ts";
import { createContainerPool } from "#runners/container/pool.ts";

/** What runners of containers need, in a folder of the test's own that goes with its containers. */
export interface ContainerWorld extends AsyncDisposable {
  root: string;
  services: ContainerServices;
  /** An invocation of a promotion of its own, or of the one whose uid is given. */
  invocation(overrides?: Partial<Invocation>): Invocation;
}

export async function openContainerWorld(
  overrides: Partial<ContainerServices> = {},
): Promise<ContainerWorld> {
  const root = mkdtempSync(join(tmpdir(), "towpath-container-"));
  const docker = connectEngine();
  const expressions = await createExpressions();
  const services: ContainerServices = {
    docker,
    images: createImages(docker),
    pool: createContainerPool(docker),
    expressions,
    pullCredentials: { find: async () => undefined },
    outputRoot: join(root, "outputs"),
    cacheRoot: join(root, "caches"),
    allowed: allowancesFrom({}),
    ...overrides,
  };
  let count = 0;
  return {
    root,
    services,
    invocation(own = {}) {
      count += 1;
      return {
        kind: "custom",
        config: {},
        project: "shop",
        stage: "test",
        promotion: "test.1",
        promotionUid: `uid-${process.pid}-${Date.now()}-${count}`,
        alias: "scan",
        attempt: 1,
        actor: "",
        rollback: false,
        uiBaseUrl: "",
        startedAt: new Date().toISOString(),
        workspace: mkdtempSync(join(root, "workspace-")),
        freight: [],
        freightRequests: [],
        targetFreight: undefined,
        targetFreightAlias: "",
        outputs: {},
        vars: {},
        ...own,
      };
    },
    async [Symbol.asyncDispose]() {
      await services.pool.close();
      await removeOrphans(docker, services.outputRoot, async () => new Set());
      expressions.dispose();
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** Keeps what a runner logs. */
export function recordingIO(signal = new AbortController().signal): RunnerIO & { lines: RunnerLogLine[] } {
  const lines: RunnerLogLine[] = [];
  return { signal, lines, log: (line) => lines.push(line) };
}
