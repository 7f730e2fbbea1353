import type { Promotion } from "#core/resources/promotion.ts";
import type { LogKey } from "#core/store/store.ts";
import { type Api, getResource } from "#server/api/api.ts";
import { followLog } from "#server/api/follow-log.ts";
import type { Route, ServerContext } from "#server/route.ts";
import type { SseMessage } from "#server/sse.ts";

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
  const bunches = followLog(api.store, {
    key,
    from,
    signal,
    concerns: ({ kind, metadata }) =>
      kind === "Promotion" && metadata.namespace === key.project && metadata.name === key.promotion,
    hasEnded: () => hasEnded(api, key),
  });
  for await (const { from: first, lines } of bunches) {
    for (const [index, line] of lines.entries())
      yield { id: String(first + index), data: JSON.stringify(line) };
  }
  if (!signal.aborted) yield { event: "end", data: "{}" };
}

async function hasEnded(api: Api, { project, promotion, step }: LogKey): Promise<boolean> {
  const found = (await api.store.get({ kind: "Promotion", project, name: promotion })) as
    | Promotion
    | undefined;
  if (!found || found.status?.finishedAt !== undefined) return true;
  const steps = found.status?.stepExecutionMetadata ?? [];
  return steps.some(({ alias, finishedAt }) => alias === step && finishedAt !== undefined);
}
