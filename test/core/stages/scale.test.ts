import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";
import { passThrough } from "#bench/lib/stage-chain.ts";
import { createCipher } from "#core/credentials/cipher.ts";
import { openSqliteStore } from "#core/store/sqlite.ts";

/** How SQLite would answer the statements in a store of any size. */
async function planOf(statements: readonly string[]): Promise<string[]> {
  const folder = await mkdtemp(join(tmpdir(), "towpath-plan-"));
  const file = join(folder, "towpath.db");
  await (await openSqliteStore({ file, cipher: createCipher(Buffer.alloc(32)) })).close();
  const db = new DatabaseSync(file);
  try {
    return statements.flatMap((sql) =>
      db
        .prepare(`explain query plan ${sql}`)
        .all(...Array.from({ length: sql.split("?").length - 1 }, () => ""))
        .map(({ detail }) => `${detail} in ${sql}`),
    );
  } finally {
    db.close();
    await rm(folder, { recursive: true });
  }
}

it("a promotion costs as much in a pipeline of many stages as in one of few, and looks through no table", async () => {
  const few = await passThrough(5);
  const many = await passThrough(35);
  const perStage = ({ statements, reconciles }: typeof few, stages: number) => [
    statements / stages,
    reconciles / stages,
  ];
  const [statements = 0, reconciles = 0] = perStage(many, 35);
  const [fewStatements = 0, fewReconciles = 0] = perStage(few, 5);
  expect(statements).toBeLessThanOrEqual(fewStatements * 1.05);
  expect(reconciles).toBeLessThanOrEqual(fewReconciles * 1.05);

  const questions = many.texts.filter((sql) => /^\s*(select|update|delete)/i.test(sql));
  expect(questions.length).toBeGreaterThan(8);
  // The one row that numbers the versions.
  const scans = (await planOf(questions)).filter(
    (step) => step.includes("SCAN") && !step.startsWith("SCAN sequence"),
  );
  expect(scans).toEqual([]);
});
