/** A command to be run in a container to its end, for somebody other than a promotion's step. */
export interface ContainerJob {
  project: string;
  /** The resource that the job is for; the container is removed once its owner is over or gone. */
  owner: { name: string; uid: string };
  /** Tells the owner's jobs apart. The same key stands for the same work, also after a restart of the daemon. */
  key: string;
  image: string;
  /** Takes the place of the image's entrypoint. */
  command?: readonly string[];
  /** Arguments of `command`, or else of the image's entrypoint. */
  args?: readonly string[];
  env: Readonly<Record<string, string>>;
  /** Absolute; the image's own without it. */
  workingDir?: string;
  /** `uid`, `uid:gid` or a name; a user without rights when absent. */
  user?: string;
  /** As Kubernetes writes them: `250m`, `64Mi`. */
  limits?: { memory?: string | number; cpu?: string | number };
  /** Names of Secrets of the project. */
  pullSecrets: readonly string[];
}

/** How a job's command ended. */
export interface JobEnd {
  exitCode: number;
  /** "" after a success; otherwise how it ended, and the end of what it said. */
  message: string;
}
