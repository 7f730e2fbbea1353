import { asOwner, runIn, type WorkTree } from "#core/git/work-tree.ts";

export interface Person {
  name: string;
  email: string;
  /** RFC 3339. */
  date: string;
}

/** A commit of a work tree, as it can be made again elsewhere. */
export interface LocalCommit {
  id: string;
  tree: string;
  parents: string[];
  author: Person;
  committer: Person;
  message: string;
  /** Who signed it with a key that is trusted; undefined otherwise. */
  signer: { name: string; email: string } | undefined;
}

const fields = ["%H", "%T", "%P", "%an", "%ae", "%aI", "%cn", "%ce", "%cI", "%G?", "%GS", "%B"];

/** The commits that `head` has and `base` has not, parents first, and where their histories part. */
export async function commitsBetween(
  tree: WorkTree,
  base: string,
  head: string,
): Promise<{ commits: LocalCommit[]; start: string }> {
  const task = `list the commits to push at "${tree.shown}"`;
  const format = `--format=${fields.join("%x00")}%x00%x1e`;
  const log = await asOwner(tree, (signer) =>
    runIn(tree, ["log", "--reverse", "--topo-order", format, `${base}..${head}`, "--"], { task, ...signer }),
  );
  const common = await runIn(tree, ["merge-base", base, head], { task });
  const commits = log.stdout
    .split("\0\x1e")
    .map((record) => record.replace(/^\n/, ""))
    .filter(Boolean)
    .map(readCommit);
  return { commits, start: common.stdout.trim() };
}

function readCommit(record: string): LocalCommit {
  const [id = "", tree = "", parents = "", ...rest] = record.split("\0");
  const [
    name = "",
    email = "",
    date = "",
    byName = "",
    byEmail = "",
    byDate = "",
    status,
    signer = "",
    message = "",
  ] = rest;
  return {
    id,
    tree,
    parents: parents.split(" ").filter(Boolean),
    author: { name, email, date },
    committer: { name: byName, email: byEmail, date: byDate },
    message: message.trimEnd(),
    signer: status === "G" ? readSigner(signer) : undefined,
  };
}

/** `Name <email>`, as a GPG key names its owner. */
function readSigner(text: string): { name: string; email: string } {
  const match = /^(.*)<([^<>]*)>[^>]*$/.exec(text);
  return { name: (match?.[1] ?? text).trim(), email: match?.[2] ?? "" };
}
