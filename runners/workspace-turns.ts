import type { Invocation, Runner, RunnerIO, StepKinds } from "#core/runner.ts";

/** Steps of the daemon itself, or commands that run in a workspace on their own. */
export type Side = "daemon" | "commands";

/**
 * Has steps of a promotion that run at the same time take turns in its workspace: those of one side together, and
 * never both sides. A step of the daemon follows no path that leads out of the workspace, but it cannot tell that
 * a command puts a link there between its look and its use.
 */
export interface WorkspaceTurns {
  /** The same kinds, whose steps wait for their side's turn. */
  of(side: Side, kinds: StepKinds): StepKinds;
}

export function createWorkspaceTurns(): WorkspaceTurns {
  const queues = new Map<string, TurnQueue>();

  async function inTurn<T>(
    side: Side,
    { workspace }: Invocation,
    { signal }: RunnerIO,
    work: () => Promise<T>,
  ) {
    const queue = queues.get(workspace) ?? new TurnQueue();
    queues.set(workspace, queue);
    try {
      await queue.enter(side, signal);
      try {
        return await work();
      } finally {
        queue.leave();
      }
    } finally {
      if (queue.isEmpty) queues.delete(workspace);
    }
  }

  function keptTo(side: Side, runner: Runner): Runner {
    const { reattach, takeBack, prepare } = runner;
    return {
      run: (invocation, io) => inTurn(side, invocation, io, () => runner.run(invocation, io)),
      ...(reattach && {
        reattach: (invocation, io) =>
          inTurn(side, invocation, io, () => reattach.call(runner, invocation, io)),
      }),
      ...(takeBack && {
        takeBack: (invocation, io) =>
          inTurn(side, invocation, io, () => takeBack.call(runner, invocation, io)),
      }),
      ...(prepare && { prepare: (invocation) => prepare.call(runner, invocation) }),
    };
  }

  return {
    of: (side, kinds) => ({
      async find(name) {
        const kind = await kinds.find(name);
        return kind && { ...kind, runner: keptTo(side, kind.runner) };
      },
      names: () => kinds.names(),
    }),
  };
}

/** Who is in a workspace, and who waits, in the order in which they came. */
class TurnQueue {
  #side: Side | undefined;
  #inside = 0;
  readonly #waiting: { side: Side; begin: () => void }[] = [];

  get isEmpty(): boolean {
    return this.#inside === 0 && this.#waiting.length === 0;
  }

  /** Waits no longer than until the signal is aborted. */
  async enter(side: Side, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const entry = { side, begin: resolve };
    const giveUp = () => {
      const at = this.#waiting.indexOf(entry);
      // It may have its turn already, and not know it yet.
      if (at < 0) return;
      this.#waiting.splice(at, 1);
      this.#admit();
      reject(signal.reason);
    };
    signal.addEventListener("abort", giveUp, { once: true });
    this.#waiting.push(entry);
    this.#admit();
    try {
      await promise;
    } finally {
      signal.removeEventListener("abort", giveUp);
    }
  }

  leave(): void {
    this.#inside -= 1;
    this.#admit();
  }

  #admit(): void {
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (this.#inside > 0 && next.side !== this.#side) return;
      this.#waiting.shift();
      this.#side = next.side;
      this.#inside += 1;
      next.begin();
    }
  }
}
