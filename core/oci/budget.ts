import { setTimeout as sleep } from "node:timers/promises";
import { StepFailure } from "#core/failure.ts";

/** How hard one registry may be asked, by everybody together. */
export interface BudgetLimits {
  requestsPerSecond: number;
  /** Under way at once. */
  concurrency: number;
  /** Longest pause that a request waits for; for a longer one it fails at once and says until when. */
  maxWaitSeconds: number;
}

const defaults: BudgetLimits = { requestsPerSecond: 20, concurrency: 8, maxWaitSeconds: 20 };

/** Spaces out the requests to one registry and keeps the pauses that it asks for. */
export interface RequestBudget {
  /** Runs `request` when it is its turn. Fails as "transient" while a long pause lasts. */
  spend<T>(request: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** Lets nobody ask before this time (milliseconds since the epoch). */
  pauseUntil(at: number): void;
}

export function createRequestBudget(
  registry: string,
  limits: Partial<BudgetLimits> = {},
  now: () => number = Date.now,
): RequestBudget {
  const { requestsPerSecond, concurrency, maxWaitSeconds } = { ...defaults, ...limits };
  const spacing = 1000 / requestsPerSecond;
  let nextTurn = 0;
  let pausedUntil = 0;
  let underWay = 0;
  const waiting: (() => void)[] = [];

  async function takePlace(): Promise<void> {
    if (underWay >= concurrency) await new Promise<void>((resolve) => waiting.push(resolve));
    else underWay++;
  }

  /** Hands the place on, so that `underWay` changes only when nobody waits. */
  function leavePlace(): void {
    const next = waiting.shift();
    if (next === undefined) underWay--;
    else next();
  }

  async function awaitTurn(signal: AbortSignal | undefined): Promise<void> {
    if (pausedUntil - now() > maxWaitSeconds * 1000) {
      const until = new Date(pausedUntil).toISOString();
      throw new StepFailure("transient", `Registry "${registry}" asked for a pause until ${until}`);
    }
    // A second's worth may go out at once; after that they are spaced out.
    nextTurn = Math.max(nextTurn + spacing, now() - 1000 + spacing);
    const turn = Math.max(nextTurn, pausedUntil);
    if (turn > now()) await sleep(turn - now(), undefined, { signal });
  }

  return {
    async spend(request, signal) {
      await takePlace();
      try {
        signal?.throwIfAborted();
        await awaitTurn(signal);
        return await request();
      } finally {
        leavePlace();
      }
    },
    pauseUntil(at) {
      pausedUntil = Math.max(pausedUntil, at);
    },
  };
}

/** The pause that an answer asks for, in seconds: Retry-After, or an allowance that is used up. */
export function askedPauseSeconds(response: Response, now: number = Date.now()): number | undefined {
  const retryAfter = response.headers.get("retry-after");
  if (retryAfter !== null && (response.status === 429 || response.status === 503)) {
    const seconds = /^\d+$/.test(retryAfter) ? Number(retryAfter) : (Date.parse(retryAfter) - now) / 1000;
    return Number.isNaN(seconds) ? 60 : Math.max(1, seconds);
  }
  if (response.status === 429) return 60;
  // Docker Hub writes `0;w=21600`: nothing left in a window of so many seconds.
  const remaining = /^\s*(\d+)/.exec(response.headers.get("ratelimit-remaining") ?? "")?.[1];
  return remaining === "0" ? 300 : undefined;
}
