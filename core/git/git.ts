import path from "node:path";
import { wayTo } from "#core/git/git-egress.ts";
import { isContention, localFailure, remoteFailure } from "#core/git/git-failure.ts";
import { type GitSettings, gitSettingsFrom } from "#core/git/git-settings.ts";
import type { GitHost, GitSource } from "#core/git/git-source.ts";
import { withAccess } from "#core/git/remote-access.ts";
import type { ExecResult } from "#core/step.ts";

export interface GitCall {
  /** Absolute path of the folder to run in. */
  cwd: string;
  /** What the call is for, as an error says it: "clone \"https://…\"". */
  task: string;
  env?: Record<string, string>;
  /** Settings for this call, as `git -c` would give them. */
  config?: Record<string, string>;
  input?: string;
  /** Exit codes that are answers; [0] by default. */
  exitCodes?: readonly number[];
  /** The repository that the call talks to; without it the call reaches no network. */
  source?: GitSource;
  /** Protocols to talk over; those of the settings by default. */
  protocols?: readonly string[];
}

export interface Git {
  readonly host: GitHost;
  readonly settings: GitSettings;
  /** Runs git with a minimal configuration of our own. Throws a StepFailure that says what could not be done. */
  run(args: readonly string[], call: GitCall): Promise<ExecResult>;
}

const anyExitCode = Array.from({ length: 256 }, (_, code) => code);
/** Long enough for the first clone of a huge repository; stalled transfers end after 30 seconds. */
const remoteTimeoutSeconds = 3_600;
const localTimeoutSeconds = 900;

/** Nothing outside of the repository and this list takes part in what git does. */
const config: Record<string, string> = {
  "core.hooksPath": "/dev/null",
  "core.fsmonitor": "false",
  "core.quotePath": "false",
  "credential.helper": "",
  "gc.auto": "0",
  "gpg.program": "gpg",
  "http.followRedirects": "initial",
  "init.defaultBranch": "main",
  "init.templateDir": "",
  "maintenance.auto": "false",
  "protocol.ext.allow": "never",
  "submodule.recurse": "false",
};

const environment: Record<string, string> = {
  GIT_ATTR_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: "/dev/null",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_SYSTEM: "/dev/null",
  GIT_EDITOR: ":",
  GIT_SEQUENCE_EDITOR: ":",
  GIT_HTTP_LOW_SPEED_LIMIT: "1024",
  GIT_HTTP_LOW_SPEED_TIME: "30",
  GIT_NO_REPLACE_OBJECTS: "1",
  GIT_OPTIONAL_LOCKS: "0",
  GIT_PAGER: "cat",
  GIT_TERMINAL_PROMPT: "0",
  // No .netrc, no keys, no key ring of whoever runs the daemon.
  GNUPGHOME: "/nonexistent",
  HOME: "/nonexistent",
  LC_ALL: "C",
};

/** Git for a host; by default with the settings of the daemon's environment. */
export function createGit(host: GitHost, settings: GitSettings = gitSettingsFrom(process.env)): Git {
  return {
    host,
    settings,
    run: (args, call) =>
      call.source === undefined
        ? runLocally(host, args, call)
        : runAgainst(host, settings, args, call, call.source),
  };
}

async function runLocally(host: GitHost, args: readonly string[], call: GitCall): Promise<ExecResult> {
  const result = await execute(host, args, call, { GIT_ALLOW_PROTOCOL: "none" }, {}, localTimeoutSeconds);
  if ((call.exitCodes ?? [0]).includes(result.exitCode)) return result;
  throw localFailure(`Cannot ${call.task}`, said(result));
}

async function runAgainst(
  host: GitHost,
  settings: GitSettings,
  args: readonly string[],
  call: GitCall,
  source: GitSource,
): Promise<ExecResult> {
  const way = await wayTo(source.remote, settings.proxies);
  return withAccess(host, settings, source, async (access) => {
    const protocols = call.protocols ?? settings.protocols;
    const env = { ...settings.passedOn, ...way.env, GIT_ALLOW_PROTOCOL: protocols.join(":"), ...access.env };
    const config = { ...access.config, ...way.config };
    const result = await execute(host, args, call, env, config, remoteTimeoutSeconds);
    if ((call.exitCodes ?? [0]).includes(result.exitCode)) return result;
    throw remoteFailure(`Cannot ${call.task}`, said(result), access.hasCredentials);
  });
}

async function execute(
  host: GitHost,
  args: readonly string[],
  call: GitCall,
  env: Record<string, string>,
  moreConfig: Record<string, string>,
  timeoutSeconds: number,
): Promise<ExecResult> {
  return host.exec("git", args, {
    cwd: call.cwd,
    env: {
      ...environment,
      // A folder that is no repository must not find one above itself, outside of what the call is about.
      GIT_CEILING_DIRECTORIES: path.dirname(call.cwd),
      ...env,
      ...call.env,
      ...configEnvironment({ ...config, ...moreConfig, ...call.config }),
    },
    input: call.input ?? "",
    timeoutSeconds,
    exitCodes: anyExitCode,
  });
}

/** Configuration through the environment: like `git -c`, but on nobody's list of processes. */
function configEnvironment(entries: Record<string, string>): Record<string, string> {
  const env: Record<string, string> = { GIT_CONFIG_COUNT: String(Object.keys(entries).length) };
  Object.entries(entries).forEach(([key, value], index) => {
    env[`GIT_CONFIG_KEY_${index}`] = key;
    env[`GIT_CONFIG_VALUE_${index}`] = value;
  });
  return env;
}

/** What git wrote: some commands explain themselves on stdout. */
export function said({ stdout, stderr }: ExecResult): string {
  return stderr.trim() === "" ? stdout : stderr;
}

/** Runs `attempt` again while it meets a lock of another process, for a few seconds. */
export async function patiently<T>(attempt: () => Promise<T>): Promise<T> {
  for (let pause = 100; ; pause *= 2) {
    try {
      return await attempt();
    } catch (error) {
      if (pause > 3_200 || !(error instanceof Error) || !isContention(error.message)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
