import { type CliIO, print } from "#cli/io.ts";
import { ExitCode } from "#cli/report-error.ts";
import { UserError } from "#core/failure.ts";
import { dataFolder } from "#core/settings.ts";
import { startDaemon } from "#server/daemon.ts";

export interface ServeOptions {
  data?: string;
  host: string;
  port: string;
  publicUrl?: string;
  allowNet?: string[];
  plugin?: string[];
}

/** `towpath serve`: runs until SIGTERM or SIGINT; a second signal ends it at once. */
export async function serve(options: ServeOptions, io: CliIO): Promise<void> {
  const data = options.data ?? dataFolder(io.env);
  const publicUrl = publicUrlOf(options.publicUrl ?? io.env.TOWPATH_PUBLIC_URL);
  const daemon = await startDaemon({
    data,
    host: options.host,
    port: portOf(options.port),
    publicUrl,
    allowNet: options.allowNet ?? [],
    plugins: options.plugin,
    env: io.env,
    logTo: io.stderr,
  });
  print(io, `Towpath is at ${daemon.url}, its data in ${data}`);
  if (daemon.newToken !== undefined) print(io, `Its token, also in ${data}/token: ${daemon.newToken}`);
  await untilAsked(io.signal);
  process.once("SIGINT", () => process.exit(130));
  process.once("SIGTERM", () => process.exit(143));
  await daemon.stop();
  throw new ExitCode(0);
}

function portOf(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 0 && port <= 65_535) return port;
  throw new UserError(`"${text}" is no port`, { hint: "a number from 0 (any free one) to 65535" });
}

function publicUrlOf(text: string | undefined): string | undefined {
  if (text === undefined || text === "") return undefined;
  const { protocol } = URL.parse(text) ?? {};
  if (protocol === "http:" || protocol === "https:") return text.replace(/\/+$/, "");
  throw new UserError(`"${text}" is no address that people could reach the daemon at`, {
    hint: "--public-url https://towpath.example.com",
  });
}

function untilAsked(interrupted: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    interrupted.addEventListener("abort", () => resolve(), { once: true });
    process.once("SIGTERM", () => resolve());
  });
}
