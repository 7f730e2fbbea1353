import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, it } from "vitest";
import type { Credentials } from "#core/credentials/credentials.ts";
import type { StepContext } from "#core/step.ts";
import gitClone from "#steps/git-clone.ts";
import gitCommit from "#steps/git-commit.ts";
import gitPush from "#steps/git-push.ts";
import { bareRepository, commitTo, git, subjectsOn } from "#test/support/git-fixture.ts";
import { serveOverHttp, serveOverSsh } from "#test/support/git-server.ts";
import { requirePart } from "#test/support/require-part.ts";
import { newSigningKey } from "#test/support/signing-key.ts";
import { fakeContext, runStep, temporaryFolder } from "#test/support/step-context.ts";

const user = { name: "robot", password: "s3cret/päss word" };
const known: Credentials = { username: user.name, password: user.password };

function contextWith(credentials: Credentials | undefined): StepContext {
  return fakeContext({ credentials: { find: async () => credentials } });
}

/** All text below a folder, for finding what should not be there. */
function everythingIn(folder: string): string {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(path.join(entry.parentPath, entry.name), "latin1"))
    .join("\n");
}

describe("a repository behind a password", () => {
  it("is cloned from, committed to and pushed to, and the password is written nowhere", async () => {
    const root = temporaryFolder();
    const bare = bareRepository([{ a: "1" }], root);
    const server = await serveOverHttp(root, { user });
    const ctx = contextWith(known);
    const repoURL = `${server.url}/repo.git`;

    await runStep(gitClone, { repoURL, checkout: [{ branch: "main", path: "out" }] }, ctx);
    writeFileSync(path.join(ctx.workspace.root, "out/a"), "2");
    await runStep(gitCommit, { path: "out", message: "Mine" }, ctx);
    commitTo(bare, "main", { b: "" }, "Theirs");
    await runStep(gitPush, { path: "out" }, ctx);

    expect(subjectsOn(bare, "main")).toEqual(["Mine", "Theirs", "Commit 1"]);
    const written = everythingIn(ctx.workspace.root) + everythingIn(await ctx.cacheFolder("git"));
    expect(written).not.toContain("s3cret");
    expect(written).not.toContain("robot");
  });

  it("is reached by the name of its host as well", async () => {
    const root = temporaryFolder();
    bareRepository([{ a: "1" }], root);
    const server = await serveOverHttp(root, { user });
    const repoURL = `${server.url.replace("127.0.0.1", "localhost")}/repo.git`;
    const cloned = runStep(gitClone, { repoURL, checkout: [{ path: "out" }] }, contextWith(known));
    expect(await cloned).toMatchObject({ status: "succeeded" });
  });

  it("is opened by user and password in its address, which are kept out of the workspace", async () => {
    const root = temporaryFolder();
    bareRepository([{ a: "1" }], root);
    const server = await serveOverHttp(root, { user });
    const ctx = contextWith(undefined);
    const address = new URL(`${server.url}/repo.git`);
    address.username = user.name;
    address.password = user.password;

    await runStep(gitClone, { repoURL: address.href, checkout: [{ path: "out" }] }, ctx);
    expect(everythingIn(ctx.workspace.root)).not.toContain("s3cret");
  });

  it.each([
    { credentials: undefined, says: /do not go over plain HTTP unless the operator sets/ },
    { credentials: { ...known, password: "wrong" }, says: /refused the credentials/ },
  ])("is refused clearly with $credentials", async ({ credentials, says }) => {
    const root = temporaryFolder();
    bareRepository([{ a: "1" }], root);
    const server = await serveOverHttp(root, { user });
    const run = runStep(
      gitClone,
      { repoURL: `${server.url}/repo.git`, checkout: [{ path: "out" }] },
      contextWith(credentials),
    );
    await expect(run).rejects.toMatchObject({ kind: "refused", message: expect.stringMatching(says) });
  });

  it("does not give its password to another host", async () => {
    const elsewhere = await serveOverHttp(temporaryFolder(), {
      intercept(_request, response) {
        response.writeHead(401, { "WWW-Authenticate": 'Basic realm="give me"' }).end();
        return true;
      },
    });
    const server = await serveOverHttp(temporaryFolder(), {
      intercept(request, response) {
        response.writeHead(302, { Location: `${elsewhere.url}${request.url}` }).end();
        return true;
      },
    });
    const config = { repoURL: `${server.url}/repo.git`, checkout: [{ path: "out" }] };
    await expect(runStep(gitClone, config, contextWith(known))).rejects.toMatchObject({ kind: "refused" });
    expect(elsewhere.requests.length).toBeGreaterThan(0);
    expect(elsewhere.requests.filter((request) => request.user !== undefined)).toEqual([]);
  });
});

describe("a workspace that names another repository than was cloned", () => {
  it("does not get the credentials of the one for the other", async () => {
    const root = temporaryFolder();
    bareRepository([{ a: "1" }], root);
    const server = await serveOverHttp(root, { user });
    const thief = await serveOverHttp(temporaryFolder(), {
      intercept(_request, response) {
        response.writeHead(401, { "WWW-Authenticate": 'Basic realm="give me"' }).end();
        return true;
      },
    });
    const find = async (_type: string, address: string) =>
      address.startsWith(server.url) ? known : undefined;
    const ctx = fakeContext({ credentials: { find } });
    const checkout = [{ branch: "main", path: "out" }];
    await runStep(gitClone, { repoURL: `${server.url}/repo.git`, checkout }, ctx);
    git(path.join(ctx.workspace.root, "out"), "config", "remote.origin.url", `${thief.url}/repo.git`);
    await expect(runStep(gitPush, { path: "out" }, ctx)).rejects.toMatchObject({ kind: "refused" });
    expect(thief.requests.filter((request) => request.user !== undefined)).toEqual([]);
  });

  it("cannot push to the cache", async () => {
    const ctx = fakeContext();
    const checkout = [{ branch: "main", path: "out" }];
    await runStep(gitClone, { repoURL: bareRepository([{ a: "1" }]), checkout }, ctx);
    const cache = await ctx.cacheFolder("git");
    const [mirror = ""] = readdirSync(cache);
    git(path.join(ctx.workspace.root, "out"), "config", "remote.origin.url", path.join(cache, mirror));
    await expect(runStep(gitPush, { path: "out" }, ctx)).rejects.toMatchObject({ kind: "refused" });
  });
});

describe("a server in trouble", () => {
  it.each([
    { status: 404, kind: "errored", says: /no such repository/ },
    { status: 403, kind: "refused", says: /credentials/ },
    { status: 429, kind: "transient", says: /faltered/ },
    { status: 503, kind: "transient", says: /faltered/ },
  ])("that answers $status makes a failure that is $kind", async ({ status, kind, says }) => {
    const server = await serveOverHttp(temporaryFolder(), {
      intercept(_request, response) {
        response.writeHead(status).end();
        return true;
      },
    });
    const run = runStep(gitClone, { repoURL: `${server.url}/repo.git`, checkout: [{ path: "out" }] });
    await expect(run).rejects.toMatchObject({ kind, message: expect.stringMatching(says) });
  });

  it("that hangs up, cannot be reached or has no known name makes a failure that is transient", async () => {
    const server = await serveOverHttp(temporaryFolder(), {
      intercept(request) {
        request.socket.destroy();
        return true;
      },
    });
    for (const host of [server.url, "http://127.0.0.1:1", "http://no-such-host.invalid"]) {
      const run = runStep(gitClone, { repoURL: `${host}/repo.git`, checkout: [{ path: "out" }] });
      await expect(run).rejects.toMatchObject({
        kind: "transient",
        message: expect.stringContaining(`${host}/repo.git`),
      });
    }
  });
});

describe("the cache", () => {
  it("makes a second clone transfer only what is new", async () => {
    const root = temporaryFolder();
    const noise = () => Array.from({ length: 20_000 }, () => Math.random().toString(36)).join("\n");
    const bare = bareRepository([{ large: noise() }], root);
    const server = await serveOverHttp(root);
    const config = { repoURL: `${server.url}/repo.git`, checkout: [{ branch: "main", path: "out" }] };
    const sent = () => server.requests.splice(0).reduce((bytes, request) => bytes + request.bytesSent, 0);

    await runStep(gitClone, config, fakeContext());
    expect(sent()).toBeGreaterThan(100_000);
    const tip = commitTo(bare, "main", { small: "x" });
    expect(await runStep(gitClone, config, fakeContext())).toMatchObject({
      output: { commits: { out: tip } },
    });
    expect(sent()).toBeLessThan(10_000);
  });

  it("is brought up to date once for all who wait for it", async () => {
    const root = temporaryFolder();
    bareRepository([{ a: "1" }], root);
    const server = await serveOverHttp(root);
    const shared = fakeContext();
    const config = { repoURL: `${server.url}/repo.git`, checkout: [{ branch: "main", path: "out" }] };
    const clones = Array.from({ length: 8 }, () =>
      runStep(gitClone, config, fakeContext({ exclusively: shared.exclusively })),
    );
    for (const outcome of await Promise.all(clones)) expect(outcome).toMatchObject({ status: "succeeded" });
    const looks = server.requests.filter(({ path: asked }) => asked.startsWith("/repo.git/info/refs"));
    // One for the first, and one for those who asked while it was under way.
    expect(looks.length).toBeLessThan(4);
  });

  it("may be deleted while promotions work in what they cloned from it", async () => {
    const { rmSync } = await import("node:fs");
    const bare = bareRepository([{ a: "1" }]);
    const cache = temporaryFolder();
    const ctx = fakeContext({ cacheFolder: async () => cache });
    await runStep(gitClone, { repoURL: bare, checkout: [{ branch: "main", path: "out" }] }, ctx);
    for (const name of readdirSync(cache)) rmSync(path.join(cache, name), { recursive: true });

    expect(git(path.join(ctx.workspace.root, "out"), "fsck", "--full")).toBe("");
    writeFileSync(path.join(ctx.workspace.root, "out/a"), "2");
    await runStep(gitCommit, { path: "out", message: "m" }, ctx);
    expect(await runStep(gitPush, { path: "out" }, ctx)).toMatchObject({ status: "succeeded" });
  });

  it("gets over the locks and the half-made copies that a killed daemon left", async () => {
    const bare = bareRepository([{ a: "1" }]);
    const cache = temporaryFolder();
    const overrides = { cacheFolder: async () => cache };
    const config = { repoURL: bare, checkout: [{ branch: "main", path: "out" }] };
    await runStep(gitClone, config, fakeContext(overrides));
    const [mirror = ""] = readdirSync(cache);
    for (const lock of ["packed-refs.lock", "refs/heads/main.lock", "HEAD.lock"]) {
      writeFileSync(path.join(cache, mirror, lock), "");
    }
    const tip = commitTo(bare, "main", { a: "2" });
    expect(await runStep(gitClone, config, fakeContext(overrides))).toMatchObject({
      output: { commits: { out: tip } },
    });
  });

  it("fetches contents only when they are checked out of a blobless clone", async () => {
    const root = temporaryFolder();
    bareRepository([{ "kept/a": "kept", "left/b": "left out" }], root);
    const server = await serveOverHttp(root, { user });
    const ctx = contextWith(known);
    const checkout = [{ branch: "main", path: "out", sparse: ["kept"] }];
    await runStep(gitClone, { repoURL: `${server.url}/repo.git`, blobless: true, checkout }, ctx);

    const out = path.join(ctx.workspace.root, "out");
    expect(readFileSync(path.join(out, "kept/a"), "utf8")).toBe("kept");
    const missing = git(out, "rev-list", "--objects", "--missing=print", "HEAD").split("\n");
    expect(missing.filter((line) => line.startsWith("?"))).toHaveLength(1);
    writeFileSync(path.join(out, "kept/a"), "changed");
    await runStep(gitCommit, { path: "out", message: "m" }, ctx);
    expect(await runStep(gitPush, { path: "out" }, ctx)).toMatchObject({ status: "succeeded" });
  });
});

describe("submodules", () => {
  it("are checked out when they are asked for", async () => {
    const root = temporaryFolder();
    const bare = bareRepository([{ a: "1" }], root);
    git(root, "init", "-q", "--bare", "-b", "main", "sub.git");
    commitTo(path.join(root, "sub.git"), "main", { "sub.txt": "sub" });
    const server = await serveOverHttp(root, { user });
    const work = path.join(temporaryFolder(), "work");
    git(root, "clone", "-q", bare, work);
    git(
      work,
      "-c",
      "protocol.file.allow=always",
      "submodule",
      "--quiet",
      "add",
      path.join(root, "sub.git"),
      "sub",
    );
    git(work, "config", "-f", ".gitmodules", "submodule.sub.url", "../sub.git");
    git(work, "commit", "-qam", "Add a submodule");
    git(work, "push", "-q", "origin", "main");

    for (const recurseSubmodules of [true, false]) {
      const ctx = contextWith(known);
      const checkout = [{ branch: "main", path: "out" }];
      await runStep(gitClone, { repoURL: `${server.url}/repo.git`, recurseSubmodules, checkout }, ctx);
      const files = readdirSync(path.join(ctx.workspace.root, "out/sub"));
      expect(files.includes("sub.txt")).toBe(recurseSubmodules);
    }
  });

  it("are not taken from this machine's disk, whatever the repository says", async () => {
    const bare = bareRepository([{ a: "1" }]);
    const secret = bareRepository([{ secret: "x" }]);
    const work = path.join(temporaryFolder(), "work");
    git(temporaryFolder(), "clone", "-q", bare, work);
    git(work, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", secret, "sub");
    git(work, "commit", "-qm", "Add a submodule");
    git(work, "push", "-q", "origin", "main");
    const config = { repoURL: bare, recurseSubmodules: true, checkout: [{ branch: "main", path: "out" }] };
    await expect(runStep(gitClone, config)).rejects.toMatchObject({ kind: "refused" });
  });
});

describe.skipIf(!(await requirePart("sshd")))("a repository over SSH", () => {
  it("is cloned from and pushed to with the key, which is gone afterwards", async () => {
    const bare = bareRepository([{ a: "1" }]);
    const server = await serveOverSsh();
    const ctx = contextWith({ sshPrivateKey: server.privateKey.trim() });
    const leftBefore = readdirSync(tmpdir()).filter((name) => name.startsWith("towpath-ssh-"));
    await runStep(gitClone, { repoURL: server.url + bare, checkout: [{ branch: "main", path: "out" }] }, ctx);
    writeFileSync(path.join(ctx.workspace.root, "out/a"), "2");
    await runStep(gitCommit, { path: "out", message: "Mine" }, ctx);
    await runStep(gitPush, { path: "out" }, ctx);

    expect(subjectsOn(bare, "main")).toEqual(["Mine", "Commit 1"]);
    expect(everythingIn(ctx.workspace.root)).not.toContain("PRIVATE KEY");
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith("towpath-ssh-"))).toEqual(leftBefore);
  });

  it("is refused clearly without the key, and when the host's key is another", async () => {
    const bare = bareRepository([{ a: "1" }]);
    const server = await serveOverSsh();
    const config = { repoURL: server.url + bare, checkout: [{ path: "out" }] };
    await expect(runStep(gitClone, config, contextWith(undefined))).rejects.toMatchObject({
      kind: "refused",
      message: expect.stringContaining("none are known"),
    });

    const known = path.join(temporaryFolder(), "known_hosts");
    writeFileSync(known, "");
    process.env.TOWPATH_GIT_KNOWN_HOSTS = known;
    try {
      await expect(
        runStep(gitClone, config, contextWith({ sshPrivateKey: server.privateKey })),
      ).rejects.toMatchObject({
        kind: "refused",
        message: expect.stringContaining("SSH key"),
      });
    } finally {
      delete process.env.TOWPATH_GIT_KNOWN_HOSTS;
    }
  });
});

describe.skipIf(!(await requirePart("gpg")))("a signing key", () => {
  async function signedClone(repoURL: string, key: string): Promise<StepContext> {
    const ctx = fakeContext();
    const author = { name: "Sig", email: "sig@example.com", signingKey: key };
    await runStep(gitClone, { repoURL, author, checkout: [{ branch: "main", path: "out" }] }, ctx);
    writeFileSync(path.join(ctx.workspace.root, "out/mine"), "x");
    await runStep(gitCommit, { path: "out", message: "Mine" }, ctx);
    return ctx;
  }

  const isSigned = (repository: string, ref: string) =>
    git(repository, "cat-file", "-p", ref).includes("BEGIN PGP SIGNATURE");

  it("signs commits, and signs them again when they are rebased", async () => {
    const bare = bareRepository([{ a: "1" }]);
    const ctx = await signedClone(bare, newSigningKey());
    expect(isSigned(path.join(ctx.workspace.root, "out"), "HEAD")).toBe(true);
    commitTo(bare, "main", { a: "2" }, "Theirs");
    await runStep(gitPush, { path: "out" }, ctx);
    expect(subjectsOn(bare, "main")).toEqual(["Mine", "Theirs", "Commit 1"]);
    expect(isSigned(bare, "main")).toBe(true);
    const keyFile = readdirSync(ctx.workspace.root).map((name) =>
      path.join(ctx.workspace.root, name, "signing-key.asc"),
    );
    expect(
      keyFile.some((file) => (statSync(file, { throwIfNoEntry: false })?.mode ?? 0) % 0o1000 === 0o600),
    ).toBe(true);
  });

  it.each([
    { policy: "RebaseOrMerge", commits: "signed", top: "Mine" },
    { policy: "RebaseOrFail", commits: "signed", top: "Mine" },
    { policy: "RebaseOrMerge", commits: "unsigned", top: "Merge branch" },
    { policy: "RebaseOrFail", commits: "unsigned", top: undefined },
  ])("with $policy and $commits commits leads to $top", async ({ policy, commits, top }) => {
    const bare = bareRepository([{ a: "1" }]);
    const ctx = await signedClone(bare, newSigningKey());
    if (commits === "unsigned") {
      git(
        path.join(ctx.workspace.root, "out"),
        "-c",
        "commit.gpgSign=false",
        "commit",
        "-q",
        "--amend",
        "--no-edit",
      );
    }
    commitTo(bare, "main", { a: "2" }, "Theirs");
    process.env.GIT_PUSH_INTEGRATION_POLICY = policy;
    try {
      const pushed = runStep(gitPush, { path: "out" }, ctx);
      if (top === undefined) await expect(pushed).rejects.toMatchObject({ status: "Failed", terminal: true });
      else await pushed;
    } finally {
      delete process.env.GIT_PUSH_INTEGRATION_POLICY;
    }
    expect(subjectsOn(bare, "main")[0]).toMatch(top ?? "Theirs");
  });

  it("that is none makes the step end in Errored", async () => {
    await expect(signedClone(bareRepository([{ a: "1" }]), "no key")).rejects.toMatchObject({
      status: "Errored",
    });
  });
});
