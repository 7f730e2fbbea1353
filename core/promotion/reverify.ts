import { keys } from "#core/promotion/keys.ts";
import { refOf } from "#core/resources/resource.ts";
import type { Stage } from "#core/resources/stage.ts";
import { ConflictError, type Store } from "#core/store/store.ts";

const tries = 5;

/**
 * Freight that was promoted to a stage that holds it already is verified again, by asking the stage for it.
 * Does nothing when the stage holds other freight or never verified it.
 */
export async function askForReverification(store: Store, stage: Stage, freight: string): Promise<void> {
  const current = stage.status?.freightHistory?.[0];
  const verification = current?.verificationHistory?.[0]?.id;
  const held = Object.values(current?.items ?? {}).some(({ name }) => name === freight);
  if (!held || !verification) return;
  for (let left = tries; left > 0; left -= 1) {
    const latest = await store.get(refOf(stage));
    if (latest === undefined) return;
    latest.metadata.annotations = {
      ...latest.metadata.annotations,
      [keys.reverify]: JSON.stringify({ id: verification }),
    };
    try {
      await store.write([{ op: "update", resource: latest }]);
      return;
    } catch (error) {
      if (!(error instanceof ConflictError) || left === 1) throw error;
    }
  }
}
