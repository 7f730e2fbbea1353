import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCipher, keyLength } from "#core/credentials/cipher.ts";
import { createMasker } from "#core/credentials/masker.ts";
import { createExpressions, type Expressions } from "#core/expressions/expressions.ts";
import { openStepLog } from "#core/promotion/step-log.ts";
import type { Invocation, RunnerLogLine } from "#core/runner.ts";
import { openSqliteStore } from "#core/store/sqlite.ts";
import { allowancesFrom } from "#runners/container/allowances.ts";
import { connectEngine } from "#runners/container/engine.ts";
import { createImages } from "#runners/container/images.ts";
import { createInlineContainerRunner } from "#runners/container/inline-container.ts";
import { createContainerPool } from "#runners/container/pool.ts";
import { makeBusyboxImage } from "#test/support/busybox-image.ts";
import { requirePart } from "#test/support/require-part.ts";

describe.skipIf(!(await requirePart("docker")))("a step in a container that tries to get out", () => {
  let root: string;
  let image: string;
  let expressions: Expressions;
  let count = 0;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), "towpath-escape-"));
    image = await makeBusyboxImage();
    expressions = await createExpressions();
    await mkdir(join(root, "other-promotion"));
    await writeFile(join(root, "other-promotion", "secret"), "TOP-SECRET");
  });
  afterAll(async () => {
    expressions.dispose();
    await rm(root, { recursive: true, force: true });
  });

  /** Runs a script in a workspace next to the other promotion's; gives all that it said and what came of it. */
  async function run(script: string, config: object = {}, log?: (line: RunnerLogLine) => void) {
    count += 1;
    const workspace = await mkdtemp(join(root, "own-"));
    const docker = connectEngine();
    const runner = createInlineContainerRunner({
      docker,
      images: createImages(docker),
      pool: createContainerPool(docker),
      expressions,
      pullCredentials: { find: async () => undefined },
      outputRoot: join(root, "outputs"),
      cacheRoot: join(root, "caches"),
      allowed: allowancesFrom({ TOWPATH_CONTAINER_DISK: "64Mi" }),
    });
    await symlink(join(root, "other-promotion"), join(workspace, "planted"));
    const invocation = {
      kind: "container",
      config: { image, script, ...config },
      project: "escape",
      promotion: "test.1",
      promotionUid: `escape-${process.pid}-${Date.now()}-${count}`,
      alias: "out",
      attempt: 1,
      workspace,
    } as unknown as Invocation;
    const lines: RunnerLogLine[] = [];
    const result = await runner
      .run(invocation, { signal: new AbortController().signal, log: log ?? ((line) => lines.push(line)) })
      .catch((error: Error) => error.message);
    return { result, lines, said: lines.map(({ text }) => text).join("\n"), workspace };
  }

  it("reads nothing outside of its workspace, writes nothing there, and reaches no address", async () => {
    const ways = {
      "another promotion's workspace": `cat ${root}/other-promotion/secret`,
      "the folder around the workspace": "cat ../*/secret /workspace/../*/secret",
      "a link that was planted in the workspace": "cat planted/secret",
      "the machine's files through init": `cat /proc/1/root${root}/other-promotion/secret`,
      "writing through a planted link": "echo x > planted/new",
      "the metadata address": "nc -w 2 169.254.169.254 80",
      "the engine's bridge": "nc -w 2 172.17.0.1 80",
      "another address": "nc -w 2 1.1.1.1 80",
    };
    const tried = Object.entries(ways).map(([what, way]) => `(${way}) && echo "open: ${what}"`);
    const { result, said } = await run(`set +e\n${tried.join("\n")}\ntrue`);
    expect(result).toEqual({ status: "succeeded", output: {} });
    expect(said).not.toMatch(/TOP-SECRET|open:/);
    expect(said.match(/No such file|can't open|nonexistent/g)?.length).toBeGreaterThanOrEqual(5);
    expect(said.match(/unreachable/g)).toHaveLength(3);
    expect(await readdir(join(root, "other-promotion"))).toEqual(["secret"]);
  });

  it("does not get another process than its own by a fork bomb", async () => {
    const { result, said } = await run("i=0; while [ $i -lt 400 ]; do sleep 5 & i=$((i+1)); done; echo all");
    expect(result).toContain("exit code");
    expect(said).toContain("can't fork");
  });

  it.each([
    {
      where: "the workspace, by many files",
      script: "for i in $(seq 200); do head -c 1m /dev/zero > f$i; done; sleep 30",
      says: "into its workspace",
    },
    {
      where: "the root of its container",
      script: "head -c 200m /dev/zero > /tmp/fill; sleep 30",
      says: "into its container",
    },
    {
      where: "the workspace, from a shared container",
      script: "head -c 200m /dev/zero > fill; sleep 30",
      config: { reuse: "promotion" },
      says: "into its workspace",
    },
  ])("does not fill the disk: $where", async ({ script, config = {}, says }) => {
    const { result } = await run(`chmod 777 /tmp 2>/dev/null; ${script}`, { user: "0", ...config });
    expect(result).toMatch(
      new RegExp(`^The step was ended: it wrote \\d+ MiB ${says}, more than the 64 MiB`),
    );
  });

  it("is told when its standard output is too long to be its output", async () => {
    const { result } = await run("head -c 9m /dev/zero | tr '\\0' x", {
      output: { source: { type: "Stdout", format: "Text" } },
    });
    expect(result).toMatch(/the stream has \d+ bytes, more than the 8388608 allowed/);
  });

  it("fills its log to the bound and no further, and still ends well", async () => {
    const limits = { logLines: 5000 };
    const store = await openSqliteStore({
      file: ":memory:",
      cipher: createCipher(randomBytes(keyLength)),
      limits,
    });
    const key = { project: "escape", promotion: "test.1", step: "out" };
    const masker = createMasker();
    const log = openStepLog(key, { store, masker, now: () => new Date(), onError: expect.unreachable });
    const { result } = await run(
      "yes aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa | head -n 6000",
      {},
      log.write,
    );
    await log.close();
    const lines = await store.readLog(key, 0, 100_000);
    await store.close();
    expect(result).toEqual({ status: "succeeded", output: {} });
    expect(lines).toHaveLength(limits.logLines + 1);
    expect(lines.at(-1)?.text).toContain("has reached its limit");
  });

  it("is told when its output file is too long", async () => {
    const { result } = await run("head -c 9m /dev/zero > $KARGO_OUTPUT");
    expect(result).toContain("more than the 8388608 allowed");
  });

  it("cannot put a link or a folder in the place of its output file", async () => {
    const { result } = await run("rm -f $KARGO_OUTPUT || true; ln -sf /etc/passwd $KARGO_OUTPUT || true");
    expect(result).toEqual({ status: "succeeded", output: {} });
  });
});
