import { createHash, randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { cp, lstat, mkdir, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import path from "node:path";
import { toStepFailure } from "#core/failure.ts";
import { type Git, patiently } from "#core/git/git.ts";
import type { GitSource } from "#core/git/git-source.ts";
import type { GitRemote } from "#core/git/git-url.ts";
import { removeStaleLocks } from "#core/git/stale-locks.ts";

/** More packs than this are joined into one, so that years of small fetches stay quick to read. */
const maxPacks = 50;

/**
 * When each mirror was last asked for what is new, and with which access. Fifty stages that clone at once
 * wait for each other; what was fetched after one of them asked is new enough for it.
 */
const fetched = new Map<string, { at: number; access: string }>();

export interface MirrorOptions {
  /** Commits and trees are enough; contents are fetched when they are asked for. */
  blobless?: boolean;
}

/**
 * The cache's bare copy of a repository, brought up to date: all branches and tags, and only what is new
 * travels. `use` gets its folder while nobody else changes it; reading it later is safe as well.
 *
 * A copy is made beside its place and moved there, so that a crash leaves a whole one or none.
 */
export async function withMirror<T>(
  git: Git,
  source: GitSource,
  options: MirrorOptions,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const cache = await git.host.cacheFolder("git");
  const key = cacheKey(source.remote);
  const askedAt = performance.now();
  return git.host.exclusively(`git-mirror:${key}`, async () => {
    const whole = path.join(cache, key);
    // A whole mirror serves those who need less; it is the one that later promotions profit from.
    const blobless = options.blobless === true && !(await isFolder(whole));
    const folder = blobless ? `${whole}.blobless` : whole;
    const access = hashOf(
      JSON.stringify([source.credentials, source.remote.userInfo, source.insecureSkipTLSVerify]),
    );
    const last = fetched.get(folder);
    const isFresh = last !== undefined && last.at >= askedAt && last.access === access;
    const isThere = await isFolder(folder);
    if (isFresh && isThere) return use(folder);
    const startedAt = performance.now();
    await (isThere ? refreshOrReplace : create)(git, source, folder, blobless);
    fetched.set(folder, { at: startedAt, access });
    const now = new Date();
    await utimes(folder, now, now);
    return use(folder);
  });
}

/** Repositories that differ in no more than the case of their path are kept apart: servers may tell them apart. */
export function cacheKey({ url, protocol }: GitRemote): string {
  const identity = url.replace(/\/+$/, "");
  const name = identity
    .split(/[/:]/)
    .at(-1)
    ?.replace(/\.git$/, "")
    .replace(/[^\w.-]/g, "_")
    .slice(0, 40);
  return `${name || "repository"}-${hashOf(`${protocol} ${identity}`).slice(0, 20)}`;
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

async function create(git: Git, source: GitSource, folder: string, blobless: boolean): Promise<void> {
  const beside = `${folder}.new-${randomUUID()}`;
  const task = `clone "${source.remote.url}"`;
  try {
    await mkdir(beside, { recursive: true });
    await git.run(["init", "--quiet", "--bare"], { cwd: beside, task });
    await git.run(["config", "remote.origin.url", source.remote.url], { cwd: beside, task });
    await git.run(fetchArguments(blobless), { cwd: beside, task, source });
    await rename(beside, folder);
  } finally {
    await rm(beside, { recursive: true, force: true });
  }
}

/** What git says of a repository that a full disk or a failing one has damaged. */
const damage =
  /not a git repository|bad object|bad config line|did not send all necessary objects|corrupt|is empty|inflate|unable to read/i;

async function refreshOrReplace(
  git: Git,
  source: GitSource,
  folder: string,
  blobless: boolean,
): Promise<void> {
  try {
    await refresh(git, source, folder);
  } catch (error) {
    const failure = toStepFailure(error);
    if (failure.kind !== "errored" || !damage.test(failure.message)) throw error;
    await rm(folder, { recursive: true, force: true });
    await create(git, source, folder, blobless);
  }
}

async function refresh(git: Git, source: GitSource, folder: string): Promise<void> {
  const task = `fetch "${source.remote.url}"`;
  await removeStaleLocks(folder);
  await patiently(() => git.run(fetchArguments(false), { cwd: folder, task, source }));
  const packs = (await readdir(path.join(folder, "objects/pack"))).filter((name) => name.endsWith(".pack"));
  if (packs.length > maxPacks) {
    await git.run(["gc", "--quiet", "--prune=2.weeks.ago"], {
      cwd: folder,
      task: "tidy the cache",
      config: { "gc.auto": "1" },
    });
  }
}

/** A mirror that is partial stays so: git remembers the filter. */
function fetchArguments(blobless: boolean): string[] {
  const filter = blobless ? ["--filter=blob:none"] : [];
  const refs = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];
  return ["fetch", "--quiet", "--prune", "--no-tags", "--no-write-fetch-head", ...filter, "origin", ...refs];
}

/**
 * Copies a mirror's refs and objects to a new bare repository. Its own copy of everything: nothing that
 * happens to the cache afterwards reaches it, nor the other way round. File systems that can share the
 * blocks of copies do.
 */
export async function copyMirror(mirror: string, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  // Refs first: objects are only ever added, so that what a copied ref needs is there when objects are copied.
  for (const name of ["HEAD", "packed-refs", "refs", "objects"]) {
    const from = path.join(mirror, name);
    if (!(await exists(from))) continue;
    await cp(from, path.join(folder, name), {
      recursive: true,
      mode: constants.COPYFILE_FICLONE,
      filter: (file) => !/\/tmp_|\.lock$/.test(file),
    });
  }
}

/** Removes mirrors that nobody used for so many days, and what crashes left behind. Workspaces lose nothing by it. */
export async function pruneMirrors(git: Git, unusedDays: number, now: Date): Promise<void> {
  const cache = await git.host.cacheFolder("git");
  for (const name of await readdir(cache)) {
    const folder = path.join(cache, name);
    const found = await stat(folder);
    const limitDays = name.includes(".new-") ? 1 : unusedDays;
    if (!found.isDirectory() || now.getTime() - found.mtimeMs < limitDays * 86_400_000) continue;
    const key = name.replace(/(\.blobless)?(\.new-.*)?$/, "");
    await git.host.exclusively(`git-mirror:${key}`, () => rm(folder, { recursive: true, force: true }));
  }
}

async function isFolder(file: string): Promise<boolean> {
  return (await exists(file)) && (await stat(file)).isDirectory();
}

async function exists(file: string): Promise<boolean> {
  try {
    await lstat(file);
    return true;
  } catch {
    return false;
  }
}
