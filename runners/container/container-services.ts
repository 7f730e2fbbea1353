import type Docker from "dockerode";
import type { EgressPolicy } from "#core/egress/policy.ts";
import type { Expressions } from "#core/expressions/expressions.ts";
import type { Invocation, RunnerIO } from "#core/runner.ts";
import type { Allowances } from "#runners/container/allowances.ts";
import type { ContainerSpec } from "#runners/container/container-spec.ts";
import type { Images } from "#runners/container/images.ts";
import type { ContainerPool } from "#runners/container/pool.ts";
import type { PullCredentials } from "#runners/container/pull-credentials.ts";

/** What containers are run with. The pool is one for all that run on the same engine for the same daemon. */
export interface ContainerServices {
  docker: Docker;
  images: Images;
  pool: ContainerPool;
  expressions: Expressions;
  pullCredentials: PullCredentials;
  /** Folder of the daemon's own for output files; not a workspace. */
  outputRoot: string;
  /** Folder of the daemon's own for what steps keep from one promotion to the next. */
  cacheRoot: string;
  allowed: Allowances;
  /** Holds for the hosts that a step may reach; without it none can be opened. */
  egress?: Pick<EgressPolicy, "addresses">;
}

/** One attempt at a step: what is run, for whom, and who hears of it. */
export interface ContainerAttempt {
  spec: ContainerSpec;
  invocation: Invocation;
  io: RunnerIO;
}
