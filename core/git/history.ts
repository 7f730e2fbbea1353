import { randomUUID } from "node:crypto";
import type { Credentials } from "#core/credentials/credentials.ts";
import { StepFailure } from "#core/failure.ts";
import type { Git } from "#core/git/git.ts";
import type { GitSource } from "#core/git/git-source.ts";
import { parseRemote, refuseOwnFolders } from "#core/git/git-url.ts";
import { type MirrorOptions, withMirror } from "#core/git/mirror.ts";
import { branchName, revision } from "#core/git/ref-names.ts";
import { defaultBranch } from "#core/git/remote-branch.ts";

/** A ref of a remote repository. */
export interface RemoteRef {
  /** In full: `refs/heads/main`, `refs/tags/v1`, or `HEAD`. */
  name: string;
  /** What it points to; for an annotated tag the tag and not the commit. */
  id: string;
}

/** A commit, as a Warehouse judges it. */
export interface CommitMetadata {
  id: string;
  /** RFC 3339, in the committer's own time zone. */
  committedAt: string;
  /** `Name <email>`. */
  author: string;
  /** `Name <email>`. */
  committer: string;
  /** First line of the message. */
  subject: string;
}

/** A tag, with what is known of its commit. */
export interface TagMetadata {
  tag: string;
  commitId: string;
  /** When an annotated tag was made, or else its commit; RFC 3339. */
  createdAt: string;
  author: string;
  committer: string;
  subject: string;
  /** `Name <email>` of who made it; "" unless it is annotated. */
  tagger: string;
  /** First line of its message; "" unless it is annotated. */
  annotation: string;
}

export interface ListCommitsOptions {
  /** The remote's default branch without it. */
  branch?: string;
  limit?: number;
  skip?: number;
  /** Only commits at or after this time; RFC 3339. */
  since?: string;
}

/** What can be asked of a repository's history. Answers come from the cache, as it was when the history was opened. */
export interface History {
  /** First parents only, newest first. */
  commits(options: ListCommitsOptions): Promise<CommitMetadata[]>;
  /** Newest first. */
  tags(): Promise<TagMetadata[]>;
  /** Files that a commit changed against its first parent; both names of one that moved. */
  changedPaths(commit: string): Promise<string[]>;
  /** The same for many commits at once, by their full hashes. */
  changes(commits: readonly string[]): Promise<Map<string, string[]>>;
  /** The whole message. */
  message(commit: string): Promise<string>;
  /** The branch's newest commit; undefined when there is no such branch. */
  tip(branch: string): Promise<string | undefined>;
  /** Whether two commits hold the same files. */
  sameFiles(one: string, other: string): Promise<boolean>;
}

/** The repository at `url`, found fit to be used. `ownFolders` are the daemon's, which hold others' secrets. */
export async function openSource(
  git: Git,
  url: string,
  access: {
    credentials?: Credentials | undefined;
    insecureSkipTLSVerify?: boolean;
    ownFolders?: readonly string[];
  },
): Promise<GitSource> {
  const remote = parseRemote(url, git.settings);
  await refuseOwnFolders(remote, access.ownFolders ?? []);
  const { credentials, insecureSkipTLSVerify = false } = access;
  return { remote, credentials, insecureSkipTLSVerify };
}

/**
 * Lists refs of a remote repository in one round trip, without fetching anything. Patterns are refs
 * (`refs/heads/main`, `refs/tags/*`, `HEAD`); all refs without any.
 */
export async function lsRemote(
  git: Git,
  source: GitSource,
  patterns: readonly string[] = [],
): Promise<RemoteRef[]> {
  const cwd = await git.host.cacheFolder("git");
  const { stdout } = await git.run(["ls-remote", "--", source.remote.url, ...patterns], {
    cwd,
    source,
    task: `list the refs of "${source.remote.url}"`,
  });
  const refs: RemoteRef[] = [];
  for (const line of stdout.split("\n")) {
    const [id, name] = line.split("\t");
    // `tag^{}` is the commit behind an annotated tag, whose own line came before.
    if (id && name && !name.endsWith("^{}")) refs.push({ name, id });
  }
  return refs;
}

/** Brings the cache up to date with the remote repository and opens its history. */
export async function openHistory(
  git: Git,
  source: GitSource,
  options: MirrorOptions = {},
): Promise<History> {
  const folder = await withMirror(git, source, options, async (mirror) => mirror);
  const read = async (args: readonly string[], task: string) =>
    (await git.run(args, { cwd: folder, task })).stdout;
  const where = `of "${source.remote.url}"`;
  return {
    async commits({ branch, limit, skip, since }) {
      const name = branch ? branchName(branch) : await defaultBranch(git, source, folder);
      const bounds = [
        ...(limit ? [`--max-count=${limit}`] : []),
        ...(skip ? [`--skip=${skip}`] : []),
        ...(since ? [`--since=${since}`] : []),
      ];
      const format = "--pretty=format:%H%x00%cI%x00%an <%ae>%x00%cn <%ce>%x00%s%x00%x1e";
      const args = ["log", "--first-parent", format, ...bounds, `refs/heads/${name}`, "--"];
      const call = { cwd: folder, task: `list commits ${where}` };
      const listed = await git.run(args, { ...call, exitCodes: [0, 128] });
      // Whether the branch is there is asked only when something is wrong: webhooks wait for each process.
      if (listed.exitCode !== 0 && (await findTip(git, folder, name)) === undefined) {
        throw new StepFailure(
          "errored",
          `Cannot list the commits of branch "${name}" ${where}: there is no such branch`,
        );
      }
      const { stdout } = listed.exitCode === 0 ? listed : await git.run(args, call);
      return records(stdout).map(
        ([id = "", committedAt = "", author = "", committer = "", subject = ""]) => ({
          id,
          committedAt,
          author,
          committer,
          subject,
        }),
      );
    },
    async tags() {
      const text = await read(
        ["for-each-ref", "--sort=-creatordate", `--format=${tagFormat}`, "refs/tags"],
        `list the tags ${where}`,
      );
      return records(text).flatMap(readTag);
    },
    async changedPaths(commit) {
      const args = [
        "show",
        "--pretty=",
        "--name-only",
        "--no-renames",
        "--first-parent",
        "-z",
        "--end-of-options",
      ];
      const text = await read(
        [...args, `${revision(commit)}^{commit}`, "--"],
        `list the changes in ${commit} ${where}`,
      );
      return text.split("\0").filter(Boolean);
    },
    async changes(commits) {
      // No file can be called what nobody knows beforehand.
      const mark = randomUUID();
      const { stdout } = await git.run(
        [
          "show",
          "--stdin",
          `--pretty=format:${mark} %H%x00`,
          "--name-only",
          "--no-renames",
          "--first-parent",
          "-z",
        ],
        {
          cwd: folder,
          task: `list the changes in ${commits.length} commits ${where}`,
          input: commits.map((commit) => `${fullHash(commit)}\n`).join(""),
        },
      );
      return readChanges(stdout, mark);
    },
    async message(commit) {
      const args = [
        "log",
        "-1",
        "--pretty=format:%B",
        "--end-of-options",
        `${revision(commit)}^{commit}`,
        "--",
      ];
      return (await read(args, `read commit ${commit} ${where}`)).trimEnd();
    },
    tip: (branch) => findTip(git, folder, branchName(branch)),
    async sameFiles(one, other) {
      const trees = [one, other].map((commit) => `${revision(commit)}^{tree}`);
      const ids = await read(["rev-parse", "--end-of-options", ...trees], `compare commits ${where}`);
      const [first, second] = ids.split("\n").filter((line) => line !== "--end-of-options");
      return first === second;
    },
  };
}

/** Each commit's line is followed by its files; the first stands behind a line break, a NUL ends each. */
function readChanges(text: string, mark: string): Map<string, string[]> {
  const changes = new Map<string, string[]>();
  let files: string[] = [];
  for (const part of text.split("\0")) {
    if (part.startsWith(`${mark} `)) {
      files = [];
      changes.set(part.slice(mark.length + 1), files);
    } else if (part !== "") {
      files.push(files.length === 0 ? part.replace(/^\n/, "") : part);
    }
  }
  return changes;
}

function fullHash(commit: string): string {
  if (/^[0-9a-f]{40}(?:[0-9a-f]{24})?$/.test(commit)) return commit;
  throw new StepFailure("refused", `Cannot use ${JSON.stringify(commit)} as a commit: it is no full hash`);
}

/** The same fields for both sorts of tags: those of the commit stand behind `*` for annotated ones. */
const tagFormat = ["", "*"]
  .map((peel) =>
    [
      "refname:lstrip=2",
      `${peel}objecttype`,
      `${peel}objectname`,
      `${peel}authorname) %(${peel}authoremail`,
      `${peel}committername) %(${peel}committeremail`,
      `${peel}contents:subject`,
      "creatordate:iso-strict",
      "taggername) %(taggeremail",
      "contents:subject",
    ]
      .map((field) => `%(${field})%00`)
      .join(""),
  )
  .join("")
  .concat("%1e");

const fieldsOfTag = 9;

function readTag(fields: string[]): TagMetadata[] {
  const lightweight = fields.slice(0, fieldsOfTag);
  const annotated = fields.slice(fieldsOfTag);
  const isAnnotated = lightweight[1] === "tag";
  const [
    tag = "",
    type,
    commitId = "",
    author = "",
    committer = "",
    subject = "",
    createdAt = "",
    tagger = "",
    text = "",
  ] = isAnnotated ? annotated : lightweight;
  // Tags of trees, files and other tags lead to no commit to promote.
  if (type !== "commit") return [];
  return [
    {
      tag,
      commitId,
      createdAt,
      author,
      committer,
      subject,
      tagger: isAnnotated ? tagger : "",
      annotation: isAnnotated ? text : "",
    },
  ];
}

/** Fields end in NUL and records in a record separator, which no subject or name can hold beside the NUL. */
function records(text: string): string[][] {
  return text
    .split("\0\x1e")
    .map((record) => record.replace(/^\n/, ""))
    .filter(Boolean)
    .map((record) => record.split("\0"));
}

async function findTip(git: Git, folder: string, branch: string): Promise<string | undefined> {
  const { stdout } = await git.run(["rev-parse", "--verify", "--quiet", `refs/heads/${branch}`], {
    cwd: folder,
    task: `look for branch "${branch}"`,
    exitCodes: [0, 1],
  });
  return stdout.trim() || undefined;
}
