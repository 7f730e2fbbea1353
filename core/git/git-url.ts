import { lstat, realpath } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { StepFailure } from "#core/failure.ts";
import type { GitSettings } from "#core/git/git-settings.ts";

/** What git needs to know of a repository's address, checked and free of secrets. */
export interface GitRemote {
  /** What git is given: no user information but the user name of an SSH address. */
  url: string;
  protocol: "https" | "http" | "ssh" | "git" | "file";
  /** `https://host:port`, which credentials are sent to and no other; "" when there is no host. */
  origin: string;
  /** User and password that stood in the address as it was written. */
  userInfo?: { username: string; password: string };
}

const webUrl = /^(https?|ssh):\/\/([^/?#]*)(\/[^?#]*)?(\?[^#]*)?(#.*)?$/;
const scpAddress = /^((?:[\w-]+@)?[\w-]+(?:\.[\w-]+)*)(?::(.*))?$/;

/**
 * The canonical form by which Kargo compares Git URLs: lower case, no user information, no `.git` or slash
 * at the end, SCP-like addresses as `ssh://`. What has no such form is returned as it is. For comparing
 * only: repositories may differ by what this drops.
 */
export function normalizeGitUrl(url: string): string {
  const clean = printable(url).trim().toLowerCase();
  if (clean.startsWith("file://")) return url;
  if (/^(https?|ssh):\/\//.test(clean)) return normalizeWebUrl(clean) ?? url;

  const scp = scpAddress.exec(clean);
  if (scp === null) return url;
  const [, host, behind = ""] = scp;
  const [firstSegment = ""] = behind.split("/");
  if (firstSegment.includes(":")) return url;
  const repository = withoutSuffix(behind);
  return repository === "" ? `ssh://${host}` : `ssh://${host}/${repository}`;
}

function normalizeWebUrl(url: string): string | undefined {
  const match = webUrl.exec(url);
  if (match === null) return undefined;
  const [, scheme, authority = "", pathname = "", query = "", fragment = ""] = match;
  if (query.length > 1 || !isAuthority(authority)) return undefined;
  const host = scheme === "ssh" ? authority : authority.slice(authority.lastIndexOf("@") + 1);
  return `${scheme}://${host}${withoutSuffix(pathname).replaceAll(" ", "%20")}${query}${fragment}`;
}

function isAuthority(authority: string): boolean {
  return /^(?:[^@\s]*@)?(?:\[[0-9a-f:.%]+\]|[^\s:[\]@<>"\\^`{|}]*)(?::\d*)?$/.test(authority);
}

function withoutSuffix(pathname: string): string {
  return pathname.replace(/\/$/, "").replace(/\.git$/, "");
}

/** Byte order marks and other unseen characters come along when an address is copied from a page. */
function printable(text: string): string {
  return text.replace(/[^\P{C}]|[\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu, "");
}

/**
 * Checks the address of a repository before git sees it.
 *
 * @throws StepFailure "refused" for protocols that are not allowed (`ext::…`), for what git would take as
 *   an option, and for addresses without a repository.
 */
export function parseRemote(address: string, settings: GitSettings): GitRemote {
  const text = printable(address).trim();
  const remote = readRemote(text);
  if (remote === undefined) {
    throw refusal(address, "it is no http(s), ssh or file URL, no SCP-like address and no absolute path");
  }
  if (!settings.protocols.includes(remote.protocol)) {
    const allowed = settings.protocols.join(", ");
    throw refusal(address, `protocol "${remote.protocol}" is not allowed (allowed are: ${allowed})`);
  }
  return remote;
}

function readRemote(text: string): GitRemote | undefined {
  if (text.startsWith("/")) return { url: text, protocol: "file", origin: "" };
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return readUrl(text);
  const scp = scpAddress.exec(text);
  if (scp === null || text.startsWith("-") || text.includes("::")) return undefined;
  const [, host = "", behind = ""] = scp;
  if (behind === "" || behind.startsWith("-")) return undefined;
  return { url: `${host}:${behind}`, protocol: "ssh", origin: `ssh://${host.split("@").at(-1)}` };
}

function readUrl(text: string): GitRemote | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const protocol = url.protocol.slice(0, -1);
  if (protocol === "file") {
    if (url.hostname !== "") return undefined;
    return { url: fileURLToPath(url), protocol, origin: "" };
  }
  if (protocol !== "https" && protocol !== "http" && protocol !== "ssh" && protocol !== "git")
    return undefined;
  if (url.hostname === "" || url.hostname.startsWith("-")) return undefined;
  const origin = `${url.protocol}//${url.host}`;
  const username = decodeURIComponent(url.username);
  const password = decodeURIComponent(url.password);
  if (username.startsWith("-")) return undefined;
  url.password = "";
  if (protocol === "ssh") return { url: url.href, protocol, origin };
  url.username = "";
  const remote: GitRemote = { url: url.href, protocol, origin };
  return username === "" && password === "" ? remote : { ...remote, userInfo: { username, password } };
}

/**
 * Refuses a repository on this machine that lies in one of the daemon's own folders: the cache and the
 * workspaces hold what other projects may not see, and a workspace's files are written by steps.
 */
export async function refuseOwnFolders(remote: GitRemote, ownFolders: readonly string[]): Promise<void> {
  if (remote.protocol !== "file") return;
  const repository = await realPathOf(remote.url);
  for (const folder of ownFolders) {
    if (isInside(await realPathOf(folder), repository)) {
      throw refusal(remote.url, "it lies in a folder that belongs to the daemon");
    }
  }
  for (let folder = repository; folder !== path.dirname(folder); folder = path.dirname(folder)) {
    if (await exists(path.join(folder, "towpath.db"))) {
      throw refusal(remote.url, "it lies in the daemon's data folder");
    }
  }
}

/** True when `inner` is `outer` or lies below it; both absolute. */
export function isInside(outer: string, inner: string): boolean {
  return inner === outer || inner.startsWith(outer.endsWith("/") ? outer : `${outer}/`);
}

async function realPathOf(file: string): Promise<string> {
  try {
    return await realpath(file);
  } catch {
    return path.resolve(file);
  }
}

async function exists(file: string): Promise<boolean> {
  try {
    await lstat(file);
    return true;
  } catch {
    return false;
  }
}

function refusal(address: string, why: string): StepFailure {
  const shown = address.replace(/\/\/[^/@\s]*@/, "//");
  return new StepFailure("refused", `Cannot use Git repository ${JSON.stringify(shown)}: ${why}`);
}
