import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, describe, expect, it } from "vitest";
import { createCipher } from "#core/credentials/cipher.ts";
import type { Resource } from "#core/resources/resource.ts";
import { listStatement } from "#core/store/list-query.ts";
import { openSqliteStore, type SqliteStoreOptions } from "#core/store/sqlite.ts";
import type { ListQuery, Store } from "#core/store/store.ts";
import { StoreError } from "#core/store/store-error.ts";
import { storeContract } from "#test/core/store/store.contract.ts";

const cipher = createCipher(Buffer.alloc(32, 7));
const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

function newFile(): string {
  const folder = mkdtempSync(join(tmpdir(), "towpath-store-"));
  cleanUps.push(() => rmSync(folder, { recursive: true }));
  return join(folder, "towpath.db");
}

async function open(file: string, options: Partial<SqliteStoreOptions> = {}): Promise<Store> {
  const store = await openSqliteStore({ file, cipher, ...options });
  cleanUps.push(() => store.close().catch(() => undefined));
  return store;
}

const configMap = (name: string, text = ""): Resource & { data: unknown } => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace: "shop" },
  data: { text },
});

/** Every byte of every file in the store's folder. */
function bytesOnDisk(file: string): Buffer {
  const folder = join(file, "..");
  return Buffer.concat(readdirSync(folder).map((name) => readFileSync(join(folder, name))));
}

storeContract("SQLite in memory", async () => ({ store: await open(":memory:") }));

storeContract("SQLite in a file", async () => {
  const file = newFile();
  return { store: await open(file), reopen: () => open(file) };
});

describe("a secret at rest", () => {
  it("is on disk in no form that can be read", async () => {
    const file = newFile();
    const store = await open(file);
    const value = "correct horse battery staple";
    const secret = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "s", namespace: "shop", labels: { findable: "this-is-not-secret" } },
      stringData: { password: value },
      data: { password: Buffer.from(value).toString("base64") },
    };
    await store.write([{ op: "create", resource: secret }]);
    await store.write([
      { op: "update", resource: { ...secret, metadata: { ...secret.metadata, labels: { a: "b" } } } },
    ]);
    const bytes = bytesOnDisk(file);
    expect(bytes.includes("this-is-not-secret")).toBe(true);
    expect(bytes.includes(value)).toBe(false);
    expect(bytes.includes(secret.data.password)).toBe(false);
  });

  it("cannot be moved into another secret", async () => {
    const file = newFile();
    const store = await open(file);
    for (const name of ["mine", "yours"]) {
      const resource = {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name, namespace: "shop" },
        stringData: { k: name },
      };
      await store.write([{ op: "create", resource }]);
    }
    const db = new DatabaseSync(file);
    db.exec(
      "update resources set body = (select body from resources where name = 'yours') where name = 'mine'",
    );
    db.close();
    await expect(store.get({ kind: "Secret", project: "shop", name: "mine" })).rejects.toThrow(
      "Cannot open the sealed",
    );
  });
});

describe("a file that cannot be used", () => {
  async function filled(): Promise<string> {
    const file = newFile();
    const store = await open(file);
    const resources = Array.from({ length: 50 }, (_, i) => configMap(`map-${i}`, "x".repeat(500)));
    await store.write(resources.map((resource) => ({ op: "create", resource })));
    await store.close();
    return file;
  }

  it.each([
    {
      of: "text",
      problem: "corrupt",
      damage: (file: string) => writeFileSync(file, "not a database\n".repeat(100)),
    },
    { of: "a few bytes", problem: "corrupt", damage: (file: string) => writeFileSync(file, "x") },
    { of: "a cut database", problem: "corrupt", damage: (file: string) => truncateSync(file, 4096) },
    {
      of: "a database whose schema is overwritten",
      problem: "corrupt",
      damage: (file: string) => {
        const bytes = readFileSync(file);
        bytes.fill(0x5a, 100, 4096);
        writeFileSync(file, bytes);
      },
    },
    {
      of: "another program's database",
      problem: "foreign",
      damage: (file: string) => {
        rmSync(file);
        const db = new DatabaseSync(file);
        db.exec("create table notes (text)");
        db.close();
      },
    },
    {
      of: "a newer schema",
      problem: "newer",
      damage: (file: string) => {
        const db = new DatabaseSync(file);
        db.exec("pragma user_version = 999");
        db.close();
      },
    },
  ])("$of is refused as $problem and left as it is", async ({ problem, damage }) => {
    const file = await filled();
    damage(file);
    const before = readFileSync(file);
    const failure = await openSqliteStore({ file, cipher }).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(StoreError);
    expect(failure).toMatchObject({ problem, hint: expect.any(String) });
    expect((failure as Error).message).toContain(file);
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  it("says so when damage shows only later", async () => {
    const file = await filled();
    const bytes = readFileSync(file);
    bytes.fill(0x5a, 4096);
    writeFileSync(file, bytes);
    const failure = await (async () => (await open(file)).list({ kind: "ConfigMap" }))().catch(
      (error) => error,
    );
    expect(failure).toMatchObject({ problem: "corrupt" });
  });

  it("another key than the one it was created with is refused", async () => {
    const file = await filled();
    const other = createCipher(Buffer.alloc(32, 8));
    await expect(openSqliteStore({ file, cipher: other })).rejects.toMatchObject({ problem: "wrong key" });
    await expect(open(file)).resolves.toBeDefined();
  });

  it("a folder that does not exist is named", async () => {
    const file = join(newFile(), "..", "missing", "towpath.db");
    await expect(openSqliteStore({ file, cipher })).rejects.toMatchObject({ problem: "unreadable" });
  });
});

describe("the lock on a store", () => {
  it("keeps a second store out until the first is closed", async () => {
    const file = newFile();
    const first = await open(file);
    await expect(openSqliteStore({ file, cipher })).rejects.toMatchObject({
      problem: "locked",
      message: expect.stringContaining("another daemon is using it"),
    });
    await first.close();
    await expect(open(file)).resolves.toBeDefined();
  });

  it("keeps another process out, and is gone as soon as that is killed", async () => {
    const file = newFile();
    const program = `
      import { createCipher } from "#core/credentials/cipher.ts";
      import { openSqliteStore } from "#core/store/sqlite.ts";
      const store = await openSqliteStore({ file: process.argv[1], cipher: createCipher(Buffer.alloc(32, 7)) });
      for (let i = 0; ; i++) {
        const metadata = { name: "map-" + i, namespace: "shop" };
        await store.write([{ op: "create", resource: { apiVersion: "v1", kind: "ConfigMap", metadata } }]);
        if (i === 20) console.log("writing");
        await new Promise((done) => setImmediate(done));
      }`;
    const other = spawn(process.execPath, ["--input-type=module-typescript", "--eval", program, file], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    cleanUps.push(() => other.kill("SIGKILL"));
    await once(other.stdout, "data");
    await expect(openSqliteStore({ file, cipher })).rejects.toMatchObject({ problem: "locked" });
    other.kill("SIGKILL");
    await once(other, "exit");
    const store = await open(file);
    const names = (await store.list({ kind: "ConfigMap" })).map(({ metadata }) => metadata.name);
    expect(names.length).toBeGreaterThan(20);
    expect(names).toEqual(names.map((_, i) => `map-${i}`));
    await store.close();
    const db = new DatabaseSync(file);
    expect(db.prepare("pragma integrity_check").get()).toEqual({ integrity_check: "ok" });
    db.close();
  });
});

describe("a full disk", () => {
  it("is named, changes nothing, and is over once there is room", async () => {
    const store = await open(newFile(), { limits: { storeBytes: 400_000 } });
    const create = (name: string, text = "") =>
      store.write([{ op: "create", resource: configMap(name, text) }]);
    await create("ballast", "x".repeat(100_000));
    const failing = store.write([
      { op: "create", resource: configMap("small") },
      { op: "create", resource: configMap("big", "x".repeat(1_000_000)) },
    ]);
    await expect(failing).rejects.toMatchObject({
      problem: "full",
      status: 507,
      message: expect.stringContaining("the disk is full; nothing was changed"),
    });
    const names = async () => (await store.list({ kind: "ConfigMap" })).map(({ metadata }) => metadata.name);
    expect(await names()).toEqual(["ballast"]);
    await create("after");
    expect(await names()).toEqual(["ballast", "after"]);
  });
});

describe("limits", () => {
  const event = (message: string) => ({
    op: "event" as const,
    event: {
      at: "2030-01-02T03:04:05Z",
      type: "Normal" as const,
      reason: "Tested",
      message,
      regarding: { kind: "Stage", name: "test" },
    },
  });

  it("keeps the newest events", async () => {
    const store = await open(":memory:", { limits: { events: 2 } });
    await store.write(["1", "2", "3"].map(event));
    expect((await store.events({})).map(({ message }) => message)).toEqual(["2", "3"]);
  });

  it.each([
    { by: "lines", limits: { logLines: 3 } },
    { by: "bytes", limits: { logBytes: 6 } },
  ])("ends a log that is too long by $by with a line that says so", async ({ limits }) => {
    const store = await open(":memory:", { limits });
    const key = { project: "shop", promotion: "p", step: "s" };
    const line = { at: "2030-01-02T03:04:05.678Z", stream: "stdout" as const, text: "ab" };
    await store.appendLog(key, [line, line]);
    await store.appendLog(key, [line, line]);
    await store.appendLog(key, [line]);
    const log = await store.readLog(key, 0);
    expect(log.map(({ stream }) => stream)).toEqual(["stdout", "stdout", "stdout", "system"]);
  });

  it("refuses to journal a value that is too long", async () => {
    const store = await open(":memory:", { limits: { journalBytes: 10 } });
    await expect(
      store.write([{ op: "journal", scope: "s", key: "k", value: "x".repeat(20) }]),
    ).rejects.toThrow("more than the 10 allowed");
  });
});

describe("queries that a large store must answer quickly", () => {
  const active = [null, "Pending", "Running"];

  it.each<{ index: string; query: ListQuery }>([
    {
      index: "promotions_by_stage",
      query: {
        kind: "Promotion",
        project: "shop",
        where: { "spec.stage": ["test"], "status.phase": active },
      },
    },
    {
      index: "promotions_by_stage",
      query: {
        kind: "Promotion",
        project: "shop",
        where: { "spec.stage": ["test"], "status.phase": ["Failed"] },
        limit: 5,
      },
    },
    {
      index: "promotions_by_freight",
      query: {
        kind: "Promotion",
        project: "shop",
        where: { "spec.stage": ["test"], "spec.freight": ["abc"] },
      },
    },
    {
      index: "promotions_by_",
      query: { kind: "Promotion", project: "shop", where: { "spec.stage": ["test"] } },
    },
    { index: "promotions_by_phase", query: { kind: "Promotion", where: { "status.phase": active } } },
    { index: "analysis_runs_by_phase", query: { kind: "AnalysisRun", where: { "status.phase": active } } },
    {
      index: "freight_by_origin",
      query: { kind: "Freight", project: "shop", where: { "origin.name": ["app"] } },
    },
    {
      index: "SEARCH label0 USING PRIMARY KEY",
      query: { kind: "Freight", project: "shop", labels: { "kargo.akuity.io/alias": "happy-otter" } },
    },
    {
      index: "SEARCH label0 USING PRIMARY KEY",
      query: { kind: "AnalysisRun", project: "shop", labels: { a: "b", c: "d" }, limit: 1 },
    },
    { index: "(kind=? AND project=?)", query: { kind: "Stage", project: "shop" } },
  ])("$query use $index", async ({ index, query }) => {
    const file = newFile();
    await (await open(file)).close();
    const db = new DatabaseSync(file);
    const { sql, values } = listStatement(query);
    const plan = db.prepare(`explain query plan ${sql}`).all(...values) as { detail: string }[];
    db.close();
    const steps = plan.map(({ detail }) => detail).join("\n");
    expect(steps).toContain(index);
    expect(steps).not.toContain("SCAN");
  });
});
