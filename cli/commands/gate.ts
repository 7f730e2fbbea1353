import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { commandKeeper } from "#cli/gate/command-keeper.ts";
import { createGateServer } from "#cli/gate/gate-server.ts";
import { promptKeeper } from "#cli/gate/prompt-keeper.ts";
import { type CliIO, print } from "#cli/io.ts";
import { UserError } from "#core/failure.ts";

export interface GateOptions {
  port: string;
  addr: string;
  once: string | boolean;
  token?: string;
}

/** `towpath gate [flags] [-- command args…]`: holds HTTP requests until somebody, or a command, decides. */
export async function gate(command: readonly string[], options: GateOptions, io: CliIO): Promise<void> {
  const port = portOf(options.port);
  const isOnce = isYes(options.once);
  const [program, ...args] = command;
  const prompt = program === undefined ? promptKeeper(io) : undefined;
  const token = options.token ?? io.env.TOWPATH_GATE_TOKEN;
  const { server, closed } = createGateServer({
    keeper: prompt?.keeper ?? commandKeeper(program ?? "", args, io.env),
    ...(token ? { token } : {}),
    once: isOnce,
    signal: io.signal,
    onReply: ({ method, path }, outcome) =>
      io.stdout.write(`${JSON.stringify(`${method} ${path}`)}: ${outcome}\n`),
  });
  try {
    server.listen(port, options.addr);
    await once(server, "listening");
    const { address, port: chosen } = server.address() as AddressInfo;
    print(io, `The gate is at http://${address.includes(":") ? `[${address}]` : address}:${chosen}`);
    await closed;
  } finally {
    prompt?.close();
  }
}

function isYes(value: string | boolean): boolean {
  if (value === true || value === "true") return true;
  if (value === false || value === "false") return false;
  throw new UserError(`Cannot take "${value}" for --once`, { hint: "--once=true or --once=false" });
}

function portOf(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new UserError(`"${text}" is no port`, { hint: "a number from 0 (any free one) to 65535" });
}
