import { StepFailure } from "#core/failure.ts";

/** What an entry of a kustomization names that is to be fetched. */
export interface RemoteEntry {
  /** As it is written. */
  text: string;
  /** Where it may be one file; undefined where it can only be a repository. */
  file: string | undefined;
  /** Where it may be a folder of a Git repository. */
  base: RemoteBase | undefined;
}

export interface RemoteBase {
  /** `https://…` or `http://…` */
  repository: string;
  /** The kustomization's folder in it; "" for its root. */
  folder: string;
  /** A branch, a tag or the whole ID of a commit. */
  ref: string;
  submodules: boolean;
}

/** What an entry may be: one file, a folder of a repository, or either, of which Kustomize tries the file first. */
export type RemoteNature = "file" | "base" | "either";

/** Addresses that Kustomize would fetch from, by HTTP or git. */
const remote = /^(?:git::)?(?:https?:|(?:ssh|file):\/\/|[a-z][a-z0-9-]*@|github\.com[/:])/i;

/** As Go reads addresses: what has a line's end in it is none, but a manifest in line. */
export function isRemote(text: string): boolean {
  return remote.test(text) && ![...text].some((letter) => letter < " " || letter === "\x7f");
}

/** Reads an entry as Kustomize does. Throws a StepFailure for what can be fetched neither over http nor https. */
export function readRemote(text: string): RemoteEntry {
  const isFile = /^https?:/i.test(text);
  const plain = text.replace(/^git::/i, "").replace(/^github\.com\//i, "https://github.com/");
  const url = /^https?:\/\/[^/?#]/i.test(plain) ? URL.parse(plain) : null;
  if (url === null) throw refusal(text, "only https and http addresses can be fetched");
  if (url.password !== "") throw refusal(text, "an address must not hold a password");
  if (/[\s\p{Cc}]/u.test(text)) throw refusal(text, "an address must not hold blanks");
  return { text, file: isFile ? text : undefined, base: readBase(plain, text) };
}

function readBase(address: string, text: string): RemoteBase | undefined {
  const [where = "", query = ""] = address.split(/\?(.*)/s);
  const [, scheme = "", host = "", rest = ""] = /^(https?):\/\/(?:[^/@]*@)?([^/]+)\/(.*)$/i.exec(where) ?? [];
  const split = splitPath(rest);
  if (host === "" || split === undefined) return undefined;
  const folder = split.folder.replace(/^\/+/, "");
  if (folder.split("/").includes("..")) throw refusal(text, "it leads out of the repository");
  const asked = new URLSearchParams(query);
  const ref = asked.get("ref") || asked.get("version") || "HEAD";
  if (!/^[\w][\w./+@-]*$/.test(ref))
    throw refusal(text, `"${ref}" is no name of a branch, a tag or a commit`);
  const submodules = !/^(?:0|f|false)$/i.test(asked.get("submodules") ?? "");
  return { repository: `${scheme.toLowerCase()}://${host}/${split.repository}`, folder, ref, submodules };
}

/** A path ends its repository's part by `_git/NAME`, `//` or `.git`, and else after two names. */
function splitPath(rest: string): { repository: string; folder: string } | undefined {
  for (const pattern of [/^(.*?_git\/[^/]*)\/?(.*)$/s, /^(.+?)\/\/(.*)$/s, /^(.*?\.git)(.*)$/s]) {
    const [, repository, folder] = pattern.exec(rest) ?? [];
    if (repository && folder !== undefined) return { repository, folder };
  }
  const names = rest.split("/");
  if (names.length < 2 || names[0] === "") return undefined;
  return { repository: names.slice(0, 2).join("/"), folder: names.slice(2).join("/") };
}

function refusal(text: string, why: string): StepFailure {
  const shown = text.slice(0, 200).replace(/\/\/[^/@\s]*@/, "//");
  return new StepFailure(
    "refused",
    `Cannot build with "${shown}": ${why}; bring it into the workspace before, with git-clone or http-download`,
  );
}
