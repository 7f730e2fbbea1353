import type { Reporter, TestModule, TestRunEndReason } from "vitest/node";
import { allParts, hasPart } from "#test/support/parts.ts";

/** Ends a run with the parts that were missing and one line that counts passed, failed and skipped tests. */
export default class SummaryReporter implements Reporter {
  async onTestRunEnd(
    modules: readonly TestModule[],
    errors: readonly unknown[],
    _reason: TestRunEndReason,
  ): Promise<void> {
    const counts = countTests(modules);
    if (counts.skipped > 0) await nameMissingParts();
    const failed = counts.failed + errors.length;
    console.log(`Tests: ${counts.passed} passed, ${failed} failed, ${counts.skipped} skipped`);
  }
}

function countTests(modules: readonly TestModule[]) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const module of modules) {
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      counts[state === "pending" ? "skipped" : state] += 1;
    }
    // A file that could not be loaded has no tests to count, and must not look like a success.
    counts.failed += module.errors().length;
  }
  return counts;
}

async function nameMissingParts(): Promise<void> {
  const found = await Promise.all(allParts.map(async (part) => ({ part, here: await hasPart(part) })));
  for (const { part, here } of found) {
    if (!here) console.log(`Skipped what needs ${part}, which is not here: test/provision.sh installs it`);
  }
}
