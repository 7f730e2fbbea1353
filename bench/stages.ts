import { report } from "#bench/lib/figures.ts";
import { passThrough } from "#bench/lib/stage-chain.ts";

const lengths = [250, 500, 1000];

/** One new piece of freight on its way through ever more stages: each promotion must cost what it cost before. */
export async function benchStages(): Promise<void> {
  let floor: number | undefined;
  for (const stages of lengths) {
    const { milliseconds, statements, reconciles } = await passThrough(stages);
    const each = milliseconds / stages;
    floor ??= each;
    const per = `${(statements / stages).toFixed(1)} statements, ${(reconciles / stages).toFixed(1)} reconciles each`;
    report(
      `freight through ${stages} stages, one after another`,
      `${each.toFixed(2)} ms each`,
      `${(each / floor).toFixed(2)} of what ${lengths[0]} take; ${per}`,
    );
  }
}
