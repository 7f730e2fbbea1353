import { execFileSync } from "node:child_process";
import path from "node:path";
import { git } from "#test/support/git-fixture.ts";
import { temporaryFolder } from "#test/support/step-context.ts";

export interface PlannedCommit {
  subject: string;
  /** RFC 3339 with an offset; a minute after the one before it without it. */
  at?: string;
  author?: string;
  files?: Record<string, string>;
  /** Lightweight tags. */
  tags?: readonly string[];
  /** Annotated tags by name, with their message. */
  annotated?: Record<string, string>;
}

const ann = "Ann <ann@example.com>";
let lastSeconds = Date.parse("2030-01-01T00:00:00Z") / 1000;

/** A bare repository with these commits on a branch, the oldest first, each at the time planned. */
export function plannedRepository(commits: readonly PlannedCommit[], branch = "main"): string {
  const bare = path.join(temporaryFolder(), "repo.git");
  git(path.dirname(bare), "init", "--quiet", "--bare", "-b", "main", bare);
  addPlanned(bare, commits, branch);
  return bare;
}

/** Adds more commits to a branch, which need not exist. */
export function addPlanned(bare: string, commits: readonly PlannedCommit[], branch = "main"): void {
  const exists = git(bare, "branch", "--list", branch) !== "";
  const stream = commits.map((commit, index) => {
    const time = timeOf(commit.at);
    const parent = index > 0 ? "" : exists ? `from refs/heads/${branch}^0\n` : "";
    const files = Object.entries(commit.files ?? { [`file-${lastSeconds}`]: commit.subject });
    const changes = files.map(([name, text]) => `M 100644 inline ${name}\n${data(text)}`).join("");
    const lightweight = (commit.tags ?? []).map((tag) => `reset refs/tags/${tag}\nfrom :${index + 1}\n\n`);
    const annotated = Object.entries(commit.annotated ?? {}).map(
      ([tag, message]) => `tag ${tag}\nfrom :${index + 1}\ntagger ${ann} ${time}\n${data(message)}`,
    );
    return [
      `commit refs/heads/${branch}\nmark :${index + 1}\nauthor ${commit.author ?? ann} ${time}\n`,
      `committer ${ann} ${time}\n${data(commit.subject)}${parent}${changes}\n`,
      ...lightweight,
      ...annotated,
    ].join("");
  });
  execFileSync("git", ["fast-import", "--quiet"], { cwd: bare, input: stream.join(""), stdio: "pipe" });
}

function data(text: string): string {
  return `data ${Buffer.byteLength(text)}\n${text}\n`;
}

function timeOf(at: string | undefined): string {
  lastSeconds = at === undefined ? lastSeconds + 60 : Date.parse(at) / 1000;
  const offset = /([+-]\d\d):(\d\d)$/.exec(at ?? "");
  return `${lastSeconds} ${offset === null ? "+0000" : `${offset[1]}${offset[2]}`}`;
}
