import { StepFailure } from "#core/failure.ts";

/** A repository's own settings: the last value of each key, keys as `git config --list` writes them. */
export type RepositoryConfig = ReadonlyMap<string, string>;

/**
 * Settings that run nothing and send nothing anywhere. A workspace is written to by steps (an archive may
 * hold a whole `.git`), and many settings name a program for git to run, so that all others are refused.
 */
const harmless: readonly RegExp[] = [
  /^core\.(abbrev|autocrlf|bare|bigfilethreshold|checkstat|commitgraph|compression|eol|filemode|ignorecase)$/,
  /^core\.(logallrefupdates|longpaths|multipackindex|precomposeunicode|preloadindex|protecthfs|protectntfs)$/,
  /^core\.(quotepath|repositoryformatversion|safecrlf|sharedrepository|sparsecheckout|sparsecheckoutcone)$/,
  /^core\.(symlinks|trustctime|untrackedcache|worktree)$/,
  /^extensions\.[a-z]+$/,
  /^remote\..*\.(url|fetch|push|promisor|partialclonefilter|prune|prunetags|tagopt|mirror|skipdefaultupdate)$/,
  /^branch\.(.*\.)?(remote|merge|rebase|description|pushremote|autosetupmerge|autosetuprebase)$/,
  /^(user|author|committer)\.(name|email|signingkey|useconfigonly)$/,
  /^(commit|tag|push)\.gpgsign$/,
  /^(advice|color|column|feature|index|init|pack|i18n|rerere|lfs)\.[a-z.]+$/,
  /^gc\.(auto|autodetach|autopacklimit|pruneexpire|reflogexpire|reflogexpireunreachable|worktreepruneexpire)$/,
  /^(maintenance\.(auto|strategy)|(transfer|receive|fetch)\.fsckobjects|receive\.denycurrentbranch)$/,
  /^(fetch|pull|push|merge|rebase|diff|status|checkout)\.(ff|rebase|prune|prunetags|default|autosetupremote|followtags)$/,
  /^(merge|diff)\.(conflictstyle|renames|renamelimit|algorithm)$/,
  /^http\.(sslverify|postbuffer|version|lowspeedlimit|lowspeedtime)$/,
  /^submodule\.(.*\.)?(url|active|path|branch|update|ignore|shallow|fetchrecursesubmodules|recurse)$/,
  /^(towpath|kargo)\.[a-z]+$/,
];

/** Reads `git config --list --show-scope -z`; settings that are not of the repository are left out. */
export function parseConfigList(output: string): Map<string, string> {
  const config = new Map<string, string>();
  const parts = output.split("\0");
  for (let index = 0; index + 1 < parts.length; index += 2) {
    const scope = parts[index];
    const entry = parts[index + 1] ?? "";
    if (scope !== "local" && scope !== "worktree") continue;
    const [key = ""] = entry.split("\n", 1);
    config.set(key, entry.slice(key.length + 1));
  }
  return config;
}

/** Refuses a repository whose settings could make git run a program or talk to somebody else. */
export function refuseHarmfulConfig(where: string, config: RepositoryConfig): void {
  for (const [key, value] of config) {
    const runsCommand = key.startsWith("submodule.") && value.startsWith("!");
    if (!runsCommand && harmless.some((pattern) => pattern.test(key))) continue;
    throw new StepFailure(
      "refused",
      `Cannot use the Git repository at "${where}": its configuration sets "${key}", which is not on the list of harmless settings`,
    );
  }
}

/** The text of a configuration file. Keys are `section.name` or `section.sub.section.name`. */
export function configText(entries: readonly (readonly [string, string])[]): string {
  return entries
    .map(([key, value]) => {
      const first = key.indexOf(".");
      const last = key.lastIndexOf(".");
      const subsection = first === last ? "" : ` "${escaped(key.slice(first + 1, last))}"`;
      return `[${key.slice(0, first)}${subsection}]\n\t${key.slice(last + 1)} = "${escaped(value)}"\n`;
    })
    .join("");
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n").replaceAll("\t", "\\t");
}
