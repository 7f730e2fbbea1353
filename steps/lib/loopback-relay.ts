import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type StepFailure, toStepFailure } from "#core/failure.ts";

/** A server on this machine that stands between a program of the step and the servers that it wants. */
export interface LoopbackRelay {
  /** `127.0.0.1:PORT`. */
  host: string;
  /** Stands in the paths that the program is given: nobody else on the machine knows it. */
  token: string;
  /** What first kept `answer` from answering; the program's own words for it say less. */
  failure(): StepFailure | undefined;
}

/** Answers a request of the program. What it throws is kept, and the program is refused. */
export type RelayAnswer = (
  request: IncomingMessage,
  response: ServerResponse,
  relay: LoopbackRelay,
) => Promise<void>;

/** Runs `work` while the relay stands. */
export async function withLoopbackRelay<T>(
  answer: RelayAnswer,
  work: (relay: LoopbackRelay) => Promise<T>,
): Promise<T> {
  let failure: StepFailure | undefined;
  const server = createServer((request, response) => {
    answer(request, response, relay).catch((error: unknown) => {
      failure ??= toStepFailure(error);
      if (response.headersSent) response.destroy();
      // Programs ask again and again after a status of a server in trouble.
      else response.writeHead(403).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const relay: LoopbackRelay = {
    host: `127.0.0.1:${port}`,
    token: randomBytes(16).toString("hex"),
    failure: () => failure,
  };
  try {
    return await work(relay);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
