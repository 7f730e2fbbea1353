/** A command to run in a container: all that a step may ask for, and nothing else. */
export interface ContainerSpec {
  image: string;
  /** The program and its arguments; with none, the image's own command. */
  command: readonly string[];
  /** "keep" puts the command behind the image's entrypoint; without it the command stands alone. */
  entrypoint?: "keep" | readonly string[];
  env: Readonly<Record<string, string>>;
  /** Texts by name, which the command finds beside its output file. */
  files?: Readonly<Record<string, string>>;
  /** What the command may do with the workspace; "write" without it. With "none" it is not there. */
  workspace?: "write" | "read" | "none";
  /** "" for the image's own; the workspace without it. */
  workingDir?: string;
  /** `uid`, `uid:gid` or a name; a user without rights when absent. */
  user?: string;
  /** As `linux/arm64`. */
  platform?: string;
  /** `none`, `bridge` or a network's name. */
  network: string;
  /** Hosts that may be reached, and nothing else, where the network is `none`. */
  allow?: readonly string[];
  readOnlyRoot: boolean;
  /** Folders of the project that outlive the container, by the absolute path at which it finds them. */
  caches: readonly { name: string; path: string }[];
  /** Paths under /dev. */
  devices: readonly string[];
  gpus: number | "all";
  /** Secrets to pull the image with, in the order in which they are asked. */
  pullSecrets: readonly string[];
  limits: ResourceLimits;
  stopGraceSeconds: number;
  /** Whether steps of the promotion with the same image and options may share a container that runs on. */
  reuse: boolean;
  output: OutputSpec;
  /** JSON Schema that the output must hold. */
  outputSchema?: object;
}

export interface ResourceLimits {
  memoryBytes: number;
  /** Billionths of a CPU. */
  nanoCpus: number;
  pids: number;
}

export type OutputFormat = "JSON" | "YAML" | "KeyValue" | "Text";

export interface OutputSpec {
  type: "Pipe" | "Stdout" | "Stderr" | "File";
  /** Of the output file in the workspace; for the type File. */
  path?: string;
  format?: OutputFormat;
  /** Expressions over `output` by the key that each fills. */
  transform?: Readonly<Record<string, string>>;
}
