import type { Environment } from "#core/environment.ts";
import { UserError } from "#core/failure.ts";

/** How scripts are run on this machine: the operator's word, not a step's. */
export interface ScriptSettings {
  /** Image that has `deno` on its path. */
  image: string;
  /** When a script may run as a process of the machine: never, where no engine answers, or always. */
  local: "never" | "fallback" | "always";
  /** Programs that such a process may start, with all the rights of the daemon's user. */
  programs: readonly string[];
  /** What Deno is told when it loads modules: registries, proxies, certificates. */
  loading: Readonly<Record<string, string>>;
}

const defaultImage = "docker.io/denoland/deno:2.9.5";

const loadingVariables = [
  "NPM_CONFIG_REGISTRY",
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
  "DENO_CERT",
  "DENO_TLS_CA_STORE",
  "SSL_CERT_FILE",
];

/**
 * From TOWPATH_SCRIPT_IMAGE, TOWPATH_SCRIPT_LOCAL, TOWPATH_SCRIPT_PROGRAMS (a list with commas) and the variables
 * that Deno knows for registries and proxies. Throws a UserError that names the wrong one.
 */
export function scriptSettingsFrom(env: Environment): ScriptSettings {
  const local = env.TOWPATH_SCRIPT_LOCAL || "never";
  if (local !== "never" && local !== "fallback" && local !== "always") {
    throw new UserError(`Cannot use TOWPATH_SCRIPT_LOCAL "${local}": expected never, fallback or always`);
  }
  return {
    image: env.TOWPATH_SCRIPT_IMAGE || defaultImage,
    local,
    programs: (env.TOWPATH_SCRIPT_PROGRAMS ?? "").split(",").flatMap((name) => name.trim() || []),
    loading: Object.fromEntries(
      loadingVariables.flatMap((name) => (env[name] ? [[name, env[name] as string]] : [])),
    ),
  };
}
