import { createInterface } from "node:readline";
import type { GateKeeper } from "#cli/gate/gate-keeper.ts";
import type { CliIO } from "#cli/io.ts";
import { UserError } from "#core/failure.ts";

/** Asks whoever sits at the terminal about each visit; Enter releases it. */
export function promptKeeper(io: CliIO): { keeper: GateKeeper; close(): void } {
  const lines = createInterface({ input: io.stdin, terminal: false });
  const isTerminal = (io.stdin as { isTTY?: boolean }).isTTY === true;
  /** Lines of a script that came before the request they are for; at a terminal such an Enter is a slip. */
  let early = 0;
  let ended = false;
  let waiting: { release(): void; giveUp(): void } | undefined;

  lines.on("line", () => {
    if (waiting) waiting.release();
    else if (!isTerminal) early++;
  });
  lines.on("close", () => {
    ended = true;
    waiting?.giveUp();
  });

  const keeper: GateKeeper = async ({ method, path, query }, signal) => {
    io.stdout.write(
      `${printable(`${method} ${path}${query && `?${query}`}`)} waits. Press Enter to release it.\n`,
    );
    if (early > 0) early--;
    else await enterPressed(signal);
    return { status: 200, text: "released\n" };
  };

  async function enterPressed(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const stop = () => reject(signal.reason);
    const giveUp = () =>
      reject(
        new UserError("Cannot ask about requests: standard input has ended", {
          hint: "keep a terminal open, or name a command that decides: towpath gate -- COMMAND",
        }),
      );
    if (signal.aborted) stop();
    else if (ended) giveUp();
    waiting = { release: resolve, giveUp };
    signal.addEventListener("abort", stop, { once: true });
    try {
      await promise;
    } finally {
      waiting = undefined;
      signal.removeEventListener("abort", stop);
    }
  }

  return { keeper, close: () => lines.close() };
}

/** A request's address is a stranger's text: it must not steer the terminal. */
function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, "?");
}
