import { createHash } from "node:crypto";
import { mkdir, realpath, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { StepFailure } from "#core/failure.ts";
import { createGit } from "#core/git/git.ts";
import { isInside, parseRemote } from "#core/git/git-url.ts";
import type { StepContext } from "#core/step.ts";
import { withGitRelay } from "./git-relay.ts";
import { type RemoteBase, type RemoteEntry, type RemoteNature, readRemote } from "./remote-entry.ts";

/** Of one build, those of fetched bases too. */
const maxRemotes = 100;
const fileSeconds = 60;

/** What a kustomization's remote entries have become on this machine. */
export interface FetchedRemote {
  at: string;
  isFolder: boolean;
  /** Nothing that it names may lie outside of this folder. */
  root: string;
}

/** Brings what kustomizations name of other servers to a folder, each address once. */
export class RemoteBases {
  private readonly ctx: StepContext;
  private readonly folder: string;
  private readonly fetched = new Map<string, Promise<FetchedRemote>>();

  constructor(ctx: StepContext, folder: string) {
    this.ctx = ctx;
    this.folder = folder;
  }

  get isEmpty(): boolean {
    return this.fetched.size === 0;
  }

  /** Throws a StepFailure for what cannot be fetched, or may not. */
  fetch(text: string, nature: RemoteNature): Promise<FetchedRemote> {
    const key = `${nature} ${text}`;
    const known = this.fetched.get(key);
    if (known !== undefined) return known;
    if (this.fetched.size === maxRemotes) {
      throw new StepFailure("refused", `Cannot build: kustomizations name more than ${maxRemotes} addresses`);
    }
    // The same name on each run: it may come to stand in what is rendered.
    const place = path.join(this.folder, createHash("sha256").update(key).digest("hex").slice(0, 12));
    const fetching = this.bring(readRemote(text), nature, place);
    this.fetched.set(key, fetching);
    return fetching;
  }

  private async bring(entry: RemoteEntry, nature: RemoteNature, place: string): Promise<FetchedRemote> {
    await mkdir(place, { recursive: true });
    const { file, base } = entry;
    if (file !== undefined && nature !== "base") {
      const found = await this.bringFile(entry, file, nature, place);
      if (found !== undefined) return found;
    }
    if (base === undefined || nature === "file") {
      throw new StepFailure(
        "errored",
        `Cannot build with "${entry.text}": it is no ${nature === "file" ? "file" : "repository"}`,
      );
    }
    this.ctx.log.info(`Fetching ${base.repository} at ${base.ref}`);
    return await this.bringBase(entry, base, place);
  }

  /** Undefined where the address may be a repository's and has a page for people. */
  private async bringFile(
    { text, base }: RemoteEntry,
    url: string,
    nature: RemoteNature,
    place: string,
  ): Promise<FetchedRemote | undefined> {
    const mayBeBase = nature === "either" && base !== undefined;
    const response = await this.ctx.fetch(url, { timeoutSeconds: fileSeconds });
    if (!response.ok) {
      await response.body?.cancel();
      if (mayBeBase) return undefined;
      const isBusy = response.status === 429 || response.status >= 500;
      const what = `Cannot build with "${text}": its server answered ${response.status}`;
      throw new StepFailure(isBusy ? "transient" : "errored", what);
    }
    const bytes = Buffer.from(await response.arrayBuffer());
    if (mayBeBase && isPage(bytes)) return undefined;
    const { pathname } = new URL(url);
    // Generators name keys after files.
    const name = pathname.slice(pathname.lastIndexOf("/") + 1).replace(/[^\w.-]/g, "_");
    const at = path.join(place, /^\.*$/.test(name) ? "file" : name);
    await writeFile(at, bytes);
    return { at, isFolder: false, root: place };
  }

  private async bringBase({ text }: RemoteEntry, base: RemoteBase, place: string): Promise<FetchedRemote> {
    const git = createGit(this.ctx);
    // The operator may have closed a protocol to git.
    parseRemote(base.repository, git.settings);
    const { repository, ref, submodules } = base;
    const task = `fetch "${repository}" at "${ref}"`;
    await withGitRelay(this.ctx, async (relay) => {
      try {
        await git.run(["init", "--quiet"], { cwd: place, task });
        // Submodules may be named from here.
        await git.run(["remote", "add", "origin", repository], { cwd: place, task });
        const fetch = ["fetch", "--quiet", "--depth=1", "--no-tags", "--end-of-options", repository, ref];
        await git.run(fetch, { ...relay.way, cwd: place, task });
        await git.run(["checkout", "--quiet", "FETCH_HEAD"], { cwd: place, task });
        if (submodules && (await exists(path.join(place, ".gitmodules")))) {
          const update = ["submodule", "--quiet", "update", "--init", "--recursive", "--depth=1"];
          await git.run(update, { ...relay.way, cwd: place, task });
        }
      } catch (error) {
        throw relay.failure() ?? error;
      }
    });
    await rm(path.join(place, ".git"), { recursive: true, force: true });
    const root = await realpath(place);
    const at = await realpath(path.join(root, base.folder)).catch(() => undefined);
    if (at === undefined || !(await stat(at)).isDirectory()) {
      throw new StepFailure(
        "errored",
        `Cannot build with "${text}": the repository has no folder "${base.folder}"`,
      );
    }
    if (isInside(root, at)) return { at, isFolder: true, root };
    throw new StepFailure("refused", `Cannot build with "${text}": the folder leads out of the repository`);
  }
}

/** What hosts of repositories show to people. */
function isPage(bytes: Buffer): boolean {
  return bytes.subarray(0, 1_000).toString("utf8").trimStart().startsWith("<");
}

async function exists(at: string): Promise<boolean> {
  return (await stat(at).catch(() => undefined)) !== undefined;
}
