import type { Masker } from "#core/credentials/masker.ts";
import type { EngineServices } from "#core/promotion/engine.ts";
import type { WorkFolders } from "#core/promotion/work-folders.ts";
import type { Freight } from "#core/resources/freight.ts";
import type { Stage } from "#core/resources/stage.ts";
import type { Store } from "#core/store/store.ts";

/** What the running of promotions needs of the rest of the daemon. */
export interface PromotionServices extends Omit<EngineServices, "store"> {
  store: Store;
  masker: Pick<Masker, "add" | "mask" | "maskValue">;
  folders: WorkFolders;
  /** Whether the stage may take the freight: it is verified upstream, approved, or comes directly. */
  isFreightAvailable(stage: Stage, freight: Freight): boolean | Promise<boolean>;
  /** Whether nothing may begin in the stage; never so without it. */
  isFrozen?(stage: Stage): Promise<boolean>;
  /** Address of the web page, for links; "" without one. */
  uiBaseUrl: string;
  /** Hears of what went wrong where nobody waits for it. */
  onError(error: unknown): void;
  /** Promotions that may run at once; 50 by default. */
  concurrency?: number;
}
