/**
 * Kargo's canonical form of a repository's address, for comparing: lower case, without user info (of
 * http and https), `.git` and a slash at the end; `user@host:path` becomes `ssh://user@host/path`.
 * What is in none of these forms, local paths and `file://` among them, is returned as it is.
 */
export function normalizeGitUrl(repoURL: string): string {
  const url = printable(repoURL).toLowerCase();
  if (url.startsWith("file://")) return repoURL;
  if (/^https?:\/\//.test(url)) return normalizeWithScheme(url, { keepUser: false }) ?? repoURL;
  if (url.startsWith("ssh://")) return normalizeWithScheme(url, { keepUser: true }) ?? repoURL;
  return normalizeScpStyle(url) ?? repoURL;
}

function normalizeWithScheme(url: string, { keepUser }: { keepUser: boolean }): string | undefined {
  const parts = /^(\w+):\/\/(?:([^@/?#]*@))?([^/?#]*)([^?#]*)(?:\?([^#]*))?(#.*)?$/.exec(url);
  if (parts === null) return undefined;
  const [, scheme, user = "", host = "", path = "", query = "", fragment = ""] = parts;
  if (query !== "" || !isHost(host) || !isPath(path)) return undefined;
  return `${scheme}://${keepUser ? user : ""}${host}${escapePath(withoutSuffixes(path))}${fragment}`;
}

function normalizeScpStyle(url: string): string | undefined {
  const parts = /^((?:[\w-]+@)?[\w-]+(?:\.[\w-]+)*)(?::(.*))?$/.exec(url);
  if (parts === null) return undefined;
  const [, userAndHost, written = ""] = parts;
  if (!isPath(written) || /^[^/]*:/.test(written)) return undefined;
  const path = withoutSuffixes(written);
  return path === "" ? `ssh://${userAndHost}` : `ssh://${userAndHost}/${escapePath(path)}`;
}

function withoutSuffixes(path: string): string {
  return path.replace(/\/$/, "").replace(/\.git$/, "");
}

function isHost(host: string): boolean {
  return /^(?:[\w.~!$&'()*+,;=-]*|\[[\da-f:.%]*\])(?::\d*)?$/.test(host);
}

/** False when a `%` starts no escape. */
function isPath(path: string): boolean {
  return !/%(?![\da-f]{2})/.test(path);
}

function escapePath(path: string): string {
  return path.replace(/[^\w.~!$&'()*+,;=:@/%-]/gu, encodeURIComponent);
}

/** Without the invisible characters that come along when an address is copied. */
function printable(url: string): string {
  return url.replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, "").trim();
}
