import type Docker from "dockerode";
import type { Container } from "dockerode";
import { removeContainer, removeContainersOf } from "#runners/container/containers.ts";

/** A container that runs on between the steps that use it. */
export interface WarmContainer {
  container: Container;
  /** Seconds since the epoch; what its log has from before belongs to no step to come. */
  since: number;
  /** Whether it was made to stand still after its last command. */
  isPaused?: boolean;
}

/** A container that was made for an invocation which is expected to come. */
export interface AheadContainer {
  /** Tells what it was made from: it is of use to nobody who wants anything else. */
  digest: string;
  container: Container;
}

/**
 * The containers of this daemon that no step is using right now: those that were made ahead, those that are
 * kept warm for the next step of their promotion, and those that are being removed.
 */
export interface ContainerPool {
  /** Keeps what is being made for an invocation; a failure to make it is nobody's concern. */
  keepAhead(promotionUid: string, name: string, made: Promise<AheadContainer>): void;
  /** Hands out what was made for an invocation, once. */
  takeAhead(promotionUid: string, name: string): Promise<AheadContainer | undefined>;
  /**
   * Hands out the promotion's warm container of the digest, or makes it. Whoever has it gives it back or drops it.
   * Undefined when it cannot be made.
   */
  takeWarm(promotionUid: string, digest: string, make: MakeWarm): Promise<WarmContainer | undefined>;
  returnWarm(promotionUid: string, digest: string, warm: WarmContainer): void;
  dropWarm(promotionUid: string, digest: string, warm: WarmContainer): void;
  /** Begins to make a warm container, unless the promotion has one. */
  keepWarm(promotionUid: string, digest: string, make: MakeWarm): void;
  /** Has a container removed without anybody waiting for it. */
  discard(container: Container): void;
  /** Removes all containers of a promotion, to be called when it is over. */
  release(promotionUid: string): Promise<void>;
  /** Removes what is idle and waits for all removals. What runs goes on. */
  close(): Promise<void>;
}

type MakeWarm = () => Promise<WarmContainer | undefined>;

/** What the pool has of one promotion. */
interface Holding {
  ahead: Map<string, Promise<AheadContainer | undefined>>;
  /** By digest; "taken" while steps have it. */
  warm: Map<string, Promise<WarmContainer | undefined> | "taken">;
}

export function createContainerPool(
  docker: Docker,
  onError: (error: unknown) => void = () => {},
): ContainerPool {
  const holdings = new Map<string, Holding>();
  const removals = new Set<Promise<unknown>>();

  function holdingOf(uid: string): Holding {
    const holding = holdings.get(uid) ?? { ahead: new Map(), warm: new Map() };
    holdings.set(uid, holding);
    return holding;
  }

  function track(work: Promise<unknown>): void {
    const tracked = work.catch(onError).finally(() => removals.delete(tracked));
    removals.add(tracked);
  }

  const discard = (container: Container) => track(removeContainer(container));

  async function dismiss({ ahead, warm }: Holding): Promise<void> {
    const idle = [...warm.values()].filter((each) => each !== "taken");
    for (const each of await Promise.all(idle)) if (each) discard(each.container);
    for (const made of await Promise.all(ahead.values())) if (made) discard(made.container);
  }

  return {
    discard,
    keepAhead(uid, name, made) {
      holdingOf(uid).ahead.set(
        name,
        made.catch(() => undefined),
      );
    },
    async takeAhead(uid, name) {
      const made = holdings.get(uid)?.ahead.get(name);
      holdings.get(uid)?.ahead.delete(name);
      return made;
    },
    async takeWarm(uid, digest, make) {
      const { warm } = holdingOf(uid);
      const kept = warm.get(digest);
      warm.set(digest, "taken");
      try {
        return (kept === "taken" ? undefined : await kept) ?? (await make());
      } catch (error) {
        warm.delete(digest);
        throw error;
      }
    },
    returnWarm(uid, digest, warm) {
      const idle = holdings.get(uid)?.warm;
      // Of steps that ran at the same time, the first keeps its container for the next.
      if (idle?.get(digest) === "taken") idle.set(digest, Promise.resolve(warm));
      else discard(warm.container);
    },
    dropWarm(uid, digest, { container }) {
      holdings.get(uid)?.warm.delete(digest);
      discard(container);
    },
    keepWarm(uid, digest, make) {
      const { warm } = holdingOf(uid);
      if (warm.has(digest)) return;
      warm.set(
        digest,
        make().catch(() => undefined),
      );
    },
    async release(uid) {
      const holding = holdings.get(uid);
      holdings.delete(uid);
      // What is still being made ahead may wait for a long pull: nobody waits for that here.
      if (holding !== undefined) track(dismiss(holding));
      await removeContainersOf(docker, uid);
    },
    async close() {
      const held = [...holdings.values()];
      holdings.clear();
      await Promise.all(held.map(dismiss));
      await Promise.all(removals);
    },
  };
}
