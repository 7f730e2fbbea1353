import type { Promotion } from "#core/resources/promotion.ts";
import type { LogKey, LogLine } from "#core/store/store.ts";
import { type Api, getResource } from "#server/api/api.ts";
import { Mailbox } from "#server/mailbox.ts";
import type { Route, ServerContext } from "#server/route.ts";
import type { SseMessage } from "#server/sse.ts";

const linesAtOnce = 500;

/** What a step says while it runs, and what it said. */
export const stepLogRoutes = (api: Api): Route[] => [
  {
    method: "GET",
    path: "/v1beta1/projects/:project/promotions/:promotion/steps/:step/log",
    id: "GetStepLog",
    summary: "Read a step's log, or follow it while the step runs",
    needs: "view",
    query: {
      from: "Number of the first line, counted from 0.",
      follow: "`true` streams lines as server-sent events until the step has ended.",
    },
    answers: { 200: "Lines as text, or a stream of them." },
    handle: async (c) => {
      const project = c.req.param("project") as string;
      const promotion = c.req.param("promotion") as string;
      await getResource(api.store, { kind: "Promotion", project, name: promotion });
      const key = { project, promotion, step: c.req.param("step") as string };
      const from = firstLine(c);
      if (c.req.query("follow") === "true")
        return api.streams.stream(c, (signal) => follow(api, key, from, signal));
      const lines = await api.store.readLog(key, from);
      return c.text(lines.map(({ text }) => `${text}\n`).join(""));
    },
  },
];

/** A reader that comes back goes on after the last line it saw. */
function firstLine(c: ServerContext): number {
  const last = c.req.header("Last-Event-ID");
  const from = last ? Number(last) + 1 : Number(c.req.query("from") ?? 0);
  return Number.isSafeInteger(from) && from > 0 ? from : 0;
}

/** Lines as they come; ends with the event `end` once the step can say no more. */
async function* follow(api: Api, key: LogKey, from: number, signal: AbortSignal): AsyncGenerator<SseMessage> {
  const news = new Mailbox<undefined>(Number.POSITIVE_INFINITY);
  let told = false;
  const wake = () => {
    // One wake-up is enough for whatever came until it is handled.
    if (told) return;
    told = true;
    news.push(undefined);
  };
  const unwatchLog = api.store.watchLog(key, wake);
  const unwatch = api.store.watch(({ resource: { kind, metadata } }) => {
    if (kind === "Promotion" && metadata.namespace === key.project && metadata.name === key.promotion) wake();
  });
  signal.addEventListener("abort", () => news.close(), { once: true });
  wake();
  let next = from;
  try {
    for await (const _ of news) {
      told = false;
      // Asked before the log is read: what is written until the step ends is then read for certain.
      const ended = await hasEnded(api, key);
      for (let lines = await read(api, key, next); lines.length > 0; lines = await read(api, key, next)) {
        for (const line of lines) {
          yield { id: String(next), data: JSON.stringify(line) };
          next += 1;
        }
      }
      if (ended) {
        yield { event: "end", data: "{}" };
        return;
      }
    }
  } finally {
    unwatchLog();
    unwatch();
  }
}

function read(api: Api, key: LogKey, from: number): Promise<LogLine[]> {
  return api.store.readLog(key, from, linesAtOnce);
}

async function hasEnded(api: Api, { project, promotion, step }: LogKey): Promise<boolean> {
  const found = (await api.store.get({ kind: "Promotion", project, name: promotion })) as
    | Promotion
    | undefined;
  if (!found || found.status?.finishedAt !== undefined) return true;
  const steps = found.status?.stepExecutionMetadata ?? [];
  return steps.some(({ alias, finishedAt }) => alias === step && finishedAt !== undefined);
}
