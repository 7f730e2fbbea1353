import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { GitSettings } from "#core/git/git-settings.ts";
import type { GitHost, GitSource } from "#core/git/git-source.ts";

/** What a call of git is given so that it can authenticate; secrets stand in the environment alone. */
export interface Access {
  env: Record<string, string>;
  config: Record<string, string>;
  hasCredentials: boolean;
}

/** Answers git's question from the environment. Bound to the repository's host, so no other host gets an answer. */
const credentialHelper =
  '!f() { test "$1" = get && printf "username=%s\\npassword=%s\\n" "$TOWPATH_GIT_USERNAME" "$TOWPATH_GIT_PASSWORD"; }; f';

/** Runs `work` with access to the source; what was needed for it is gone afterwards. */
export async function withAccess<T>(
  host: GitHost,
  settings: GitSettings,
  source: GitSource,
  work: (access: Access) => Promise<T>,
): Promise<T> {
  if (source.remote.protocol === "ssh") return withSshAccess(host, settings, source, work);
  return work(httpAccess(source));
}

function httpAccess({ remote, credentials, insecureSkipTLSVerify }: GitSource): Access {
  const access: Access = { env: {}, config: {}, hasCredentials: false };
  if (insecureSkipTLSVerify) access.config["http.sslVerify"] = "false";
  if (remote.protocol !== "https" && remote.protocol !== "http") return access;

  const username = credentials?.username || remote.userInfo?.username || "git";
  const password = credentials?.password || remote.userInfo?.password;
  if (!password) return access;
  access.hasCredentials = true;
  access.env = { TOWPATH_GIT_USERNAME: username, TOWPATH_GIT_PASSWORD: password };
  access.config[`credential.${remote.origin}.helper`] = credentialHelper;
  return access;
}

async function withSshAccess<T>(
  host: GitHost,
  settings: GitSettings,
  source: GitSource,
  work: (access: Access) => Promise<T>,
): Promise<T> {
  const knownHosts = settings.knownHostsPath ?? path.join(await host.cacheFolder("git"), "known_hosts");
  const checking = settings.knownHostsPath === undefined ? "accept-new" : "yes";
  const key = source.credentials?.sshPrivateKey;
  const folder = await mkdtemp(path.join(tmpdir(), "towpath-ssh-"));
  try {
    const keyFile = path.join(folder, "key");
    // ssh wants the line end that pasted keys tend to lack.
    if (key) await writeFile(keyFile, `${key.replaceAll("\r\n", "\n").trim()}\n`, { mode: 0o600 });
    const command = [
      "ssh -F /dev/null -o BatchMode=yes -o ConnectTimeout=30 -o ServerAliveInterval=15",
      `-o StrictHostKeyChecking=${checking} -o UserKnownHostsFile=${quoted(knownHosts)}`,
      // Only the key that belongs to the repository; never one of whoever runs the daemon.
      `-o IdentitiesOnly=yes -o IdentityAgent=none -o IdentityFile=${key ? quoted(keyFile) : "none"}`,
    ].join(" ");
    return await work({
      env: { GIT_SSH_COMMAND: command, GIT_SSH_VARIANT: "ssh" },
      config: {},
      hasCredentials: Boolean(key),
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** For the shell that runs GIT_SSH_COMMAND, and within it for ssh, which splits options' values at blanks. */
function quoted(file: string): string {
  return `'"${file.replaceAll("'", `'\\''`)}"'`;
}
